/**
 * From the words of the command line to the options of a run.
 * @module
 */
import { readFileSync } from 'node:fs';
import { refuseStarts } from '../arrivals/arrival-times.ts';
import { checkStages, parseStage, type Stage, secondsOf, stagedUsers } from '../arrivals/stages.ts';
import type { RunOptions } from '../options/run-options.ts';
import { selectTasks } from '../scenarios/load-scenario.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { sourceAddressesOf } from '../targets/source-addresses.ts';
import { refuseIgnored } from './ignored-options.ts';
import { makeAbortWhen, makeCriteria } from './make-criteria.ts';
import { planRun } from './plan-run.ts';
import { readBaseline } from './read-baseline.ts';
import type { Flags } from './run-flags.ts';
import type { Typed } from './usage-errors.ts';

const timestamp = (): string => new Date().toISOString().replace(/[:.]/g, '-').slice(0, 19);

const readStages = (file: string): readonly Stage[] => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`--stages ${file}: cannot read it: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
  return text.split('\n').flatMap((line, index) => {
    const words = line.trim();
    return words === '' || words.startsWith('#')
      ? []
      : [parseStage(words, `--stages ${file}:${index + 1}: "${words}"`)];
  });
};

const stagesOf = ({ stage, stages }: Flags): readonly Stage[] => {
  if (stages === undefined) return checkStages(stage);
  if (stage.length > 0) throw new Error('--stage and --stages: give one of the two');
  const read = readStages(stages);
  if (read.length === 0) throw new Error(`--stages ${stages}: it holds no stage; write one on each line`);
  return checkStages(read);
};

/** The options of a run with stages: its duration and its most users. */
const staged = (flags: Flags, stages: readonly Stage[]): Flags => {
  if (stages.length === 0) return flags;
  const duration = secondsOf(stages);
  if (stages.some(({ rate }) => rate !== undefined)) return { ...flags, duration };
  if (flags.rate !== undefined) throw new Error('--rate: it goes with stages that have a rate, these have users');
  return { ...flags, duration, users: Math.max(1, stagedUsers(stages, flags.spawnRate).usersMax) };
};

/**
 * Says why the starts of the open model cannot be planned; `undefined` when they can, or when there
 * are none.
 */
const refuseRate = ({ rate, logoutsPerSecond, sessions, duration }: Flags, stages: readonly Stage[]) => {
  const perSecond = logoutsPerSecond ?? rate;
  if (perSecond === undefined && !stages.some((stage) => stage.rate !== undefined)) return undefined;
  // A run of logouts ends with its last session.
  const durationSeconds =
    logoutsPerSecond === undefined ? duration : Math.min(duration, (sessions ?? Infinity) / logoutsPerSecond);
  return refuseStarts({ perSecond: perSecond ?? 0, stages, durationSeconds });
};

const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/**
 * Refuses ids of processes that do not exist: a process that cannot be measured is not judged, so a
 * typing error would switch that rule off.
 */
const refuseMissing = ({ alsoCount, targetPid }: Flags): void => {
  for (const [option, pids] of [
    ['--also-count', alsoCount],
    ['--target-pid', targetPid === undefined ? [] : [targetPid]],
  ] as const)
    for (const pid of pids) if (!isThere(pid)) throw new Error(`${option} ${pid}: there is no such process`);
};

/**
 * Makes the options of a run.
 * @param typed options that were given and not left at their default
 * @throws Error that says what is wrong and what is allowed
 */
export const makeOptions = (name: string, found: Scenario, given: Flags, typed: Typed): RunOptions => {
  const stages = stagesOf(given);
  const flags = staged(given, stages);
  const { tag, excludeTag, pacing, wait } = flags;
  const refusal = refuseRate(flags, stages);
  if (refusal !== undefined) throw new Error(refusal);
  const scenario = selectTasks(found, tag, excludeTag);
  refuseIgnored(typed, { scenario, flags: given, stages });
  const criteria = makeCriteria(scenario, flags);
  refuseMissing(flags);
  if (pacing !== undefined && wait !== undefined) throw new Error('--wait and --pacing: give one of the two');
  if (flags.processes > flags.users)
    throw new Error(`--processes ${flags.processes}: there are only ${flags.users} users to share`);
  return {
    ...flags,
    scenario,
    scenarioSource: { name, tags: tag, without: excludeTag },
    durationSeconds: flags.duration,
    waitSeconds: pacing === undefined ? (wait ?? scenario.waitSeconds) : [pacing, pacing],
    isPaced: pacing !== undefined || (wait === undefined && scenario.isPaced === true),
    timeoutSeconds: flags.timeout,
    stages,
    guards: flags.guard,
    guardLeaseSeconds: flags.guardLease,
    sourceAddresses: sourceAddressesOf(flags.target, flags.sourceAddresses, process.platform),
    share: { first: 0, of: 1 },
    criteria,
    baseline: flags.baseline === undefined ? undefined : readBaseline(flags.baseline),
    abortWhen: makeAbortWhen(flags.abortWhen, criteria),
    ...planRun(scenario, flags),
    out: flags.out ?? `results/${scenario.name}-${timestamp()}`,
  };
};
