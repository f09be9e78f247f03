/**
 * All raw measurements of a run at its end.
 * @module
 */

import type { FaultEvent } from '../faults/timeline.ts';
import type { LoadEnd, LoadMark } from '../generators/load.ts';
import type { ConsistencyChecker } from '../measures/consistency.ts';
import type { CustomMeasures } from '../measures/custom-measures.ts';
import type { GuardMeasure } from '../measures/guard-measure.ts';
import type { OutageMeasure } from '../measures/outage-measure.ts';
import type { Recorder } from '../measures/recorder.ts';
import type { RevocationMeasure } from '../measures/revocation.ts';
import type { RunStart } from '../measures/sampler.ts';
import type { RunOptions } from '../options/run-options.ts';
import type { CpuTimes } from '../probes/machine.ts';
import type { Scraped } from '../probes/metrics-scraper.ts';
import type { TargetUsage } from '../probes/target-process.ts';
import type { HistoryRow, SecondResult } from '../results/result.ts';
import type { TransportMeasure } from '../targets/transport.ts';

/** Readings at one moment. */
export interface Reading {
  readonly cpu: NodeJS.CpuUsage;
  readonly machine: CpuTimes | undefined;
  readonly target: TargetUsage | undefined;
  /** Other processes of the measured system, in the order of `--also-count`. */
  readonly counted: readonly (TargetUsage | undefined)[];
  readonly atMs: number;
}

/** The moment from which the run was steady: every user had logged in once. */
export interface SteadyStart extends LoadMark {
  readonly reading: Reading;
  /** Whole seconds before it. */
  readonly second: number;
}

/** Everything a run has gathered. */
export interface Gathered {
  readonly scenario: string;
  readonly options: RunOptions;
  readonly weights: Readonly<Record<string, number>>;
  readonly fingerprint: string;
  readonly accounts: { readonly kind: 'imported' | 'registered'; readonly reason?: string };
  readonly start: RunStart;
  readonly stoppedAtMs: number;
  readonly steady: SteadyStart | undefined;
  readonly isInterrupted: boolean;
  /** Name of the criterion that was beyond saving; `undefined` in a run that was not aborted. */
  readonly abortedBy: string | undefined;
  readonly recorder: Recorder;
  readonly checker: ConsistencyChecker;
  readonly faults: readonly FaultEvent[];
  readonly revocation: RevocationMeasure;
  /** One for each guarded API. */
  readonly guards: readonly GuardMeasure[];
  /** `undefined` when the scenario is not broken on purpose. */
  readonly outage: OutageMeasure | undefined;
  /**
   * Workers to which connections were held at the end; `undefined` when the scenario does not ask
   * them.
   */
  readonly workerNames: readonly string[] | undefined;
  /** The load at its end. */
  readonly crowd: LoadEnd;
  /** Counts of a custom scenario. */
  readonly custom: CustomMeasures | undefined;
  /** Times and events of the connections, apart from the requests. */
  readonly transport: TransportMeasure;
  /** How often the number of users was changed by hand. */
  readonly changes: number;
  readonly targetPid: number | undefined;
  /**
   * Whether the target runs on another machine: then this machine's CPU time is the lab's or
   * foreign.
   */
  readonly isTargetRemote: boolean;
  readonly before: Reading;
  readonly after: Reading;
  /** `undefined` when the target's metrics were left alone. */
  readonly scraped: Scraped | undefined;
  readonly seconds: readonly SecondResult[];
  readonly history: readonly HistoryRow[];
}
