/**
 * Messages between the process of a run and the processes that generate its load. Structured clones
 * over the channel of `fork`.
 * @module
 */

import type { CheckerDump } from '../measures/consistency.ts';
import type { CustomDump } from '../measures/custom-measures.ts';
import type { RecorderDump } from '../measures/recorder.ts';
import type { RunOptions } from '../options/run-options.ts';
import type { GeneratorSecond } from '../probes/generator.ts';
import type { AccountFacts } from '../targets/accounts.ts';
import type { TransportDump } from '../targets/transport.ts';
import type { LoadEnd, LoadMark, LoadProgress } from './load.ts';

/**
 * The first message to a generator, which loads the scenario again: code cannot be sent. Faults
 * stay with the process of the run.
 */
export interface GeneratorTask {
  readonly options: Omit<RunOptions, 'scenario' | 'faults'>;
  readonly accounts: AccountFacts;
}

/**
 * The measurements of a generator since the last request for them. The generator keeps no copy, so
 * they are safe whatever happens to it.
 */
export interface MeasuredDump {
  readonly recorder: RecorderDump;
  readonly checker: CheckerDump;
  readonly custom: CustomDump;
  readonly transport: TransportDump;
}

/** A second of one generator. */
export interface SecondDump {
  readonly users: number;
  readonly generator: GeneratorSecond;
  readonly cpu: NodeJS.CpuUsage;
  readonly measured: MeasuredDump;
  /** Until now, in case that it says no more. */
  readonly progress: LoadProgress;
}

/** The rest of one generator. */
export interface EndDump {
  readonly measured: MeasuredDump;
  readonly end: LoadEnd;
}

/**
 * Requests to a generator: argument and answer. Times are on the clock that all processes of a
 * machine share.
 */
export interface Calls {
  readonly prepare: [GeneratorTask, undefined];
  /** @param argument when to start */
  readonly start: [number, undefined];
  readonly turnSecond: [undefined, SecondDump];
  readonly cpu: [undefined, NodeJS.CpuUsage];
  readonly becomeSteady: [undefined, LoadMark];
  readonly scale: [number, undefined];
  readonly stop: [undefined, undefined];
  /** Answered when all tasks have ended. */
  readonly drain: [undefined, undefined];
  /** @param argument whether the run was interrupted */
  readonly finish: [boolean, EndDump];
}

/** Name of a call. */
export type CallName = keyof Calls;

/** From the run to a generator. */
export interface CallMessage {
  readonly id: number;
  readonly call: CallName;
  readonly argument: unknown;
}

/** From a generator to the run. */
export type GeneratorMessage =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly message: string }
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'ready' }
  /** Code of the scenario did not give way, and was ended there: the run is to end. */
  | { readonly kind: 'blocked'; readonly place: string };

/**
 * From this process's monotonic clock to the one that all processes of the machine share,
 * milliseconds to add. `performance.now()` counts from the start of its process; both follow the
 * same clock of the kernel.
 */
export const sharedClockMs = (): number => Number(process.hrtime.bigint()) / 1e6 - performance.now();
