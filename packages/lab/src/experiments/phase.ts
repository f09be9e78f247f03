/**
 * Experiments and their phases, each a target and a load.
 * @module
 */
import type { TargetKind } from '../launch/start-target.ts';
import type { RunResult } from '../results/result.ts';
import type { Budget } from './budget.ts';

/** One run. */
export interface Phase {
  readonly id: string;
  readonly title: string;
  /** The question that it answers, in a sentence. */
  readonly question: string;
  readonly target: TargetKind;
  readonly scenario: 'auth' | 'mixed' | 'outage';
  readonly users: number;
  /** After the last user has started, seconds. */
  readonly steadySeconds: number;
  /** Users started per second. @default half of the hash rate of the target */
  readonly spawnRate?: number;
  /** Pause of a user between two tasks, seconds. @default that of the scenario */
  readonly waitSeconds?: readonly [number, number];
  /**
   * Criteria of the phase. @default those of the scenario. When they are missed, the phase is
   * repeated with as many users as may meet them.
   */
  readonly aim?: Aim;
}

/** Latencies, milliseconds, and share of real failures, per cent: as in a file of criteria. */
export interface Aim {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly failures: number;
  /** Least requests a second for each user: users that wait for answers ask for less. */
  readonly requestsPerUser: number;
}

/** A list of phases that share one report. */
export interface Experiment {
  readonly title: string;
  /** Earlier figures that it is set beside unless others are given. */
  readonly baselineFile: string;
  /** A remark about the tokens of its runs, beside the baseline. */
  readonly aboutTokens: string;
  /**
   * Its phases.
   * @param isQuick a twentieth of the users for some seconds each: shows that everything works,
   * measures nothing
   */
  phasesOf(isQuick: boolean): readonly Phase[];
}

/** A phase that was run. */
export interface PhaseResult {
  readonly phase: Phase;
  /**
   * Passwords per second that the target hashed beside nothing else, measured before; `null` where
   * it hashes none.
   */
  readonly hashesPerSecond: number | null;
  readonly spawnRate: number;
  /** Its budget on this machine, measured before; `null` where it was not measured. */
  readonly budget: Budget | null;
  /** `null`: there is none, for this reason. */
  readonly result: RunResult | null;
  readonly reason: string | null;
  /** The same with fewer users, looking for the most that keep the aim. */
  readonly smaller: readonly RunResult[];
}

/** Requests a second of the judged window, and the aim. `undefined` without an aim. */
export const throughputOf = ({ aim }: Phase, { options, steady, whole }: RunResult) =>
  aim === undefined
    ? undefined
    : { measured: (steady ?? whole).total.requests_per_second, least: options.users * aim.requestsPerUser };

/** Whether a run has met all criteria of its phase. */
export const isKept = (phase: Phase, result: RunResult): boolean => {
  const throughput = throughputOf(phase, result);
  return (
    result.steady !== null &&
    result.verdicts.every(({ verdict }) => verdict === 'passed') &&
    (throughput === undefined || throughput.measured >= throughput.least)
  );
};
