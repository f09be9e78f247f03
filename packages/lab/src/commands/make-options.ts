/**
 * From the words of the command line to what a run is asked to be.
 * @module
 */
import { readFileSync } from 'node:fs';
import { refuseStarts } from '../arrivals/arrival-times.ts';
import { checkStages, parseStage, type Stage, secondsOf, stagedUsers } from '../arrivals/stages.ts';
import type { Criteria } from '../measures/criteria.ts';
import { selectTasks } from '../scenarios/load-scenario.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { sourceAddressesOf } from '../targets/source-addresses.ts';
import { readCriteria } from './criteria-file.ts';
import { planRun } from './plan-run.ts';
import type { Flags } from './run-flags.ts';
import type { RunOptions } from './run-options.ts';

const timestamp = (): string => new Date().toISOString().replace(/[:.]/g, '-').slice(0, 19);

/** The scenario's limits, or those of a file, or those of the command line: the last word wins. */
const criteriaOf = ({ criteria }: Scenario, flags: Flags): Criteria => {
  const given = {
    p50MsMax: flags.p50,
    p95MsMax: flags.p95,
    p99MsMax: flags.p99,
    realFailuresPercentMax: flags.failures,
    endpointFailuresPercentMax: flags.endpointFailures,
    rejectedMsMax: flags.rejected,
  };
  const ofFile = flags.criteria === undefined ? {} : readCriteria(flags.criteria);
  return {
    ...criteria,
    ...ofFile,
    ...Object.fromEntries(Object.entries(given).filter(([, limit]) => limit !== undefined)),
  };
};

const readStages = (file: string): readonly Stage[] => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`--stages ${file}: cannot read it: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#')).map(parseStage);
};

const stagesOf = ({ stage, stages }: Flags): readonly Stage[] => {
  if (stages === undefined) return checkStages(stage);
  if (stage.length > 0) throw new Error('--stage and --stages: give one of the two');
  const read = readStages(stages);
  if (read.length === 0) throw new Error(`--stages ${stages}: it holds no stage; write one on each line`);
  return checkStages(read);
};

/** What a run with stages is as a whole. */
const staged = (flags: Flags, stages: readonly Stage[]): Flags => {
  if (stages.length === 0) return flags;
  const duration = secondsOf(stages);
  if (stages.some(({ rate }) => rate !== undefined)) return { ...flags, duration };
  if (flags.rate !== undefined) throw new Error('--rate: it goes with stages that have a rate, these have users');
  return { ...flags, duration, users: Math.max(1, stagedUsers(stages, flags.spawnRate).usersMax) };
};

/** Says why the starts of the open model cannot be planned; `undefined` when they can, or when there are none. */
const refuseRate = ({ rate, logoutsPerSecond, sessions, duration }: Flags, stages: readonly Stage[]) => {
  const perSecond = logoutsPerSecond ?? rate;
  if (perSecond === undefined && !stages.some((stage) => stage.rate !== undefined)) return undefined;
  // A run of logouts ends with its last session.
  const durationSeconds =
    logoutsPerSecond === undefined ? duration : Math.min(duration, (sessions ?? Infinity) / logoutsPerSecond);
  return refuseStarts({ perSecond: perSecond ?? 0, stages, durationSeconds });
};

/**
 * Makes the options of a run.
 * @throws Error that says what is wrong and what is allowed
 */
export const makeOptions = (name: string, found: Scenario, given: Flags): RunOptions => {
  const stages = stagesOf(given);
  const flags = staged(given, stages);
  const { tag, excludeTag, pacing, wait } = flags;
  const refusal = refuseRate(flags, stages);
  if (refusal !== undefined) throw new Error(refusal);
  const scenario = selectTasks(found, tag, excludeTag);
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
    sourceAddresses: sourceAddressesOf(flags.target, flags.sourceAddresses, process.platform),
    share: { first: 0, of: 1 },
    criteria: criteriaOf(scenario, flags),
    ...planRun(scenario, flags),
    out: flags.out ?? `results/${scenario.name}-${timestamp()}`,
  };
};
