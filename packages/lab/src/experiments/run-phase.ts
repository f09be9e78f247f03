/**
 * Runs one phase: starts its target, measures what it can hash, loads it.
 * @module
 */
import { writeFileSync } from 'node:fs';
import type { RunResult } from '../reports/result.ts';
import { scenarios } from '../scenarios/registry.ts';
import { type Budget, measureBudget, usedBudget } from './budget.ts';
import { type LabProcessEnd, measureHashing, runLabProcess } from './lab-process.ts';
import { isKept, type Phase, type PhaseResult } from './phase.ts';
import { type Means, type StartedTarget, startTarget } from './start-target.ts';

/** What a phase is run with. */
export interface PhaseParts extends Means {
  /** Beginning of the names of its files. */
  readonly out: string;
  /** Processes that work for the targets. */
  readonly alsoCount: readonly number[];
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

/** Runs with fewer users at the most, and how many fewer each time: part of what the budget, or the run before, allows. */
const smallerMax = 3;
const smallerShare = 0.85;

const sayBudget = ({ tasks, coresNeeded, cores, usersMax }: Budget, say: (line: string) => void): void => {
  for (const { task, perSecond, targetUs, storesUs, generatorUs } of tasks)
    say(
      `  ${task.padEnd(10)} ${targetUs.toFixed(0)} + ${storesUs.toFixed(0)} + ${generatorUs.toFixed(0)} µs (target, stores, generator) × ${perSecond.toFixed(0)} a second`,
    );
  say(
    `  ${coresNeeded.toFixed(2)} of ${cores} cores${coresNeeded <= cores ? '' : `: more than there is, enough for ${usersMax} users`}`,
  );
};

/** Runs it. Never throws: what went wrong is part of the experiment. */
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
      // Half of it: the other half is for those who are there already.
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
    const load = async (users: number, out: string): Promise<LabProcessEnd> => {
      const seconds = Math.ceil(users / spawnRate) + phase.steadySeconds;
      const words = [phase.scenario, '--users', users, '--spawn-rate', spawnRate, '--duration', `${seconds}s`];
      if (phase.waitSeconds !== undefined) words.push('--wait', phase.waitSeconds.join('-'));
      say(`${phase.scenario} with ${users} users for ${seconds} s`);
      const more = [...whereOf(target), ...criteriaWords(phase, parts.out)];
      const also = parts.alsoCount.flatMap((pid) => ['--also-count', String(pid)]);
      return runLabProcess([...words.map(String), ...more, ...also], { out, interrupt, isShown: true });
    };
    const ran = await load(phase.users, parts.out);
    if (ran.result === null) return ended(ran.reason);
    ({ result } = ran);
    for (let last = result; phase.aim !== undefined && !isKept(phase, last) && smaller.length < smallerMax; ) {
      const most =
        smaller.length === 0 ? Math.min(phase.users, usedBudget(last)?.usersMax ?? phase.users) : last.options.users;
      const users = Math.floor((most * smallerShare) / 100) * 100;
      if (interrupt.aborted || users < 100) break;
      const again = await load(users, `${parts.out}-${users}`);
      if (again.result === null) break;
      last = again.result;
      smaller.push(last);
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
