/**
 * Runs one phase: starts its target, measures what it can hash, loads it.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { type LabProcessEnd, measureHashing, runLabProcess } from '../launch/lab-process.ts';
import { type Means, type StartedTarget, startTarget } from '../launch/start-target.ts';
import type { RunResult } from '../results/result.ts';
import { scenarios } from '../scenarios/registry.ts';
import { type Budget, measureBudget, usedBudget } from './budget.ts';
import { isKept, type Phase, type PhaseResult } from './phase.ts';

/** Parts that a phase is run with. */
export interface PhaseParts extends Means {
  /** Beginning of the names of its files. */
  readonly out: string;
  /** Processes that work for the targets. */
  readonly alsoCount: readonly number[];
  /** Processes that faults act on, as `--process` of a run takes them. */
  readonly processes: readonly string[];
  readonly interrupt: AbortSignal;
  readonly say: (line: string) => void;
}

/** Where nothing is hashed. */
const spawnRateUsual = 100;

const whereOf = ({ url, adminKeyFile }: StartedTarget): string[] => [
  '--target',
  url,
  ...(adminKeyFile === undefined ? [] : ['--admin-key-file', adminKeyFile]),
];

/**
 * Runs with fewer users at the most; how many fewer than the budget, or the run before, allows; how
 * near is near enough.
 */
const smallerMax = 3;
const smallerShare = 0.85;
const nearEnough = 1.15;

/**
 * How many users to try next, looking for the most that keep an aim. Pure.
 * @param tried most users first, as they were asked for
 * @param allowed as many as the first run's use of the cores allows
 * @returns `undefined`: near enough, or nothing is left to try
 */
export const nextUsers = (
  tried: readonly { readonly users: number; readonly isKept: boolean }[],
  allowed: number,
): number | undefined => {
  const kept = Math.max(0, ...tried.filter(({ isKept }) => isKept).map(({ users }) => users));
  const missed = Math.min(...tried.filter(({ isKept }) => !isKept).map(({ users }) => users));
  if (tried.length > smallerMax || missed <= kept * nearEnough || missed === Number.POSITIVE_INFINITY) return undefined;
  const most = tried.length === 1 ? Math.min(missed, allowed) : missed;
  const wanted = kept === 0 ? most * smallerShare : Math.sqrt(kept * missed);
  const users = Math.floor(wanted / 100) * 100;
  return users > kept ? users : undefined;
};

const sayBudget = ({ tasks, coresNeeded, cores, usersMax }: Budget, say: (line: string) => void): void => {
  for (const { task, perSecond, targetUs, storesUs, generatorUs } of tasks)
    say(
      `  ${task.padEnd(10)} ${targetUs.toFixed(0)} + ${storesUs.toFixed(0)} + ${generatorUs.toFixed(0)} µs (target, stores, generator) × ${perSecond.toFixed(0)} a second`,
    );
  say(
    `  ${coresNeeded.toFixed(2)} of ${cores} cores${coresNeeded <= cores ? '' : `: more than there is, enough for ${usersMax} users`}`,
  );
};

/** Runs the phase. Never throws: failures are part of the experiment. */
export const runPhase = async (phase: Phase, parts: PhaseParts): Promise<PhaseResult> => {
  const { interrupt, say } = parts;
  let hashesPerSecond: number | null = null;
  let spawnRate = phase.spawnRate ?? spawnRateUsual;
  let budget: Budget | null = null;
  let result: RunResult | null = null;
  const smaller: RunResult[] = [];
  const ended = (reason: string | null): PhaseResult => ({
    phase,
    hashesPerSecond,
    spawnRate,
    budget,
    result,
    reason,
    smaller,
  });
  try {
    await using target = await startTarget(phase.target, parts);
    if (phase.target.kind !== 'naive') {
      say('Measuring how many passwords a second it hashes …');
      hashesPerSecond = await measureHashing(whereOf(target), interrupt);
      // Half of it: the users that are there already need the other half.
      if (hashesPerSecond !== null && phase.spawnRate === undefined)
        spawnRate = Math.max(1, Math.floor(hashesPerSecond / 2));
      say(`${hashesPerSecond?.toFixed(0) ?? '?'} a second; ${spawnRate} users are started a second`);
    }
    const scenario = scenarios.get(phase.scenario);
    if (phase.target.kind !== 'naive' && scenario !== undefined && !interrupt.aborted) {
      say('Measuring what a request of each kind costs …');
      budget = await measureBudget({ ...target, alsoCount: parts.alsoCount, scenario, users: phase.users });
      sayBudget(budget, say);
    }
    const criteria = criteriaWords(phase, parts.out);
    const load = async (users: number, out: string): Promise<LabProcessEnd> => {
      const seconds = Math.ceil(users / spawnRate) + phase.steadySeconds;
      const words = [phase.scenario, '--users', users, '--spawn-rate', spawnRate, '--duration', `${seconds}s`];
      if (phase.scenario === 'outage') words.push(...parts.processes.flatMap((process) => ['--process', process]));
      if (phase.waitSeconds !== undefined) words.push('--wait', phase.waitSeconds.join('-'));
      say(`${phase.scenario} with ${users} users for ${seconds} s`);
      const more = [...whereOf(target), ...criteria];
      const also = parts.alsoCount.flatMap((pid) => ['--also-count', String(pid)]);
      return runLabProcess([...words.map(String), ...more, ...also], { out, interrupt, isShown: true });
    };
    const ran = await load(phase.users, parts.out);
    if (ran.result === null) return ended(ran.reason);
    ({ result } = ran);
    const tried = [{ users: phase.users, isKept: isKept(phase, result) }];
    const allowed = usedBudget(result)?.usersMax ?? phase.users;
    for (;;) {
      const users = phase.aim === undefined || interrupt.aborted ? undefined : nextUsers(tried, allowed);
      if (users === undefined) break;
      const again = await load(users, `${parts.out}-${users}`);
      if (again.result === null) break;
      smaller.push(again.result);
      tried.push({ users, isKept: isKept(phase, again.result) });
    }
    return ended(null);
  } catch (error) {
    return ended(error instanceof Error ? error.message : String(error));
  }
};

/** The limits of a phase as a file that its runs are given. */
const criteriaWords = ({ aim }: Phase, out: string): readonly string[] => {
  if (aim === undefined) return [];
  const file = `${out}-criteria.json`;
  const { requestsPerUser: _, ...criteria } = aim;
  writeFileSync(file, `${JSON.stringify(criteria)}\n`);
  return ['--criteria', file];
};
