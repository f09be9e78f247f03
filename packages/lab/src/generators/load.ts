/**
 * The load of a run, whether this process makes it or several others do.
 * @module
 */
import type { ScenarioException } from '../containment/exceptions.ts';
import type { ConsistencyChecker } from '../measures/consistency.ts';
import type { CustomMeasures } from '../measures/custom-measures.ts';
import type { GuardMeasure } from '../measures/guard-measure.ts';
import type { Recorder } from '../measures/recorder.ts';
import type { RevocationMeasure } from '../measures/revocation.ts';
import type { LoadSecond } from '../measures/sampler.ts';
import type { GeneratorHealth } from '../probes/generator.ts';
import type { TransportMeasure } from '../targets/transport.ts';

/** Counters at a moment. Times in milliseconds. */
export interface LoadCounters {
  readonly tasks: number;
  readonly taskMs: number;
  readonly waitMs: number;
  readonly userMs: number;
  readonly lateStarts: number;
}

/** The moment from which a load was steady, on the monotonic clock of the process that asked. */
export interface LoadMark extends LoadCounters {
  readonly atMs: number;
  /** The generator until then; of several processes the worst. */
  readonly warmUp: GeneratorHealth;
}

/** Progress of a load until now. */
export interface LoadProgress extends LoadCounters {
  /** Users started. */
  readonly started: number;
  /** Starts that were due and never came; `undefined` in the closed model. */
  readonly droppedStarts: number | undefined;
  readonly exceptions: readonly ScenarioException[];
  readonly connects: number;
  readonly reconnects: number;
}

/** Figures of a load at its end. */
export interface LoadEnd extends LoadProgress {
  /** Requests that were cut: their answers had not come when the wait for them was over. */
  readonly cutRequests: number;
  /**
   * The generator since the steady window began, or over the whole run; of several processes the
   * worst.
   */
  readonly health: GeneratorHealth;
}

/** A load under way. */
export interface Load {
  /** Whether every user has been ready once. */
  readonly isReady: boolean;
  /** Ends when everything that was started has ended. */
  readonly ended: Promise<void>;
  /** The recorded requests; of several processes, until the last finished second. */
  readonly recorder: Recorder;
  readonly checker: ConsistencyChecker;
  readonly custom: CustomMeasures;
  /** Times and events of the connections, apart from the requests. */
  readonly transport: TransportMeasure;
  /** How fast revocations took effect, where that is measured. */
  readonly revocation?: RevocationMeasure;
  /** What guarded APIs answered, where they are asked. */
  readonly guards?: readonly GuardMeasure[];
  /** Ends the running second. After {@link finish}: the time since the last one. */
  turnSecond(): Promise<LoadSecond>;
  /** CPU time used so far, by all processes. */
  cpu(): Promise<NodeJS.CpuUsage>;
  becomeSteady(): Promise<LoadMark>;
  /** Scales the number of users by `factor`. */
  scale(factor: number): void;
  /** No new task from now on. */
  stop(): void;
  /**
   * Cuts requests under way and gathers the rest.
   * @param isInterrupted whether the cut requests are left out of the counts
   */
  finish(isInterrupted: boolean): Promise<LoadEnd>;
}

/** Longest wait at the end for cut requests, milliseconds. */
const cutMs = { regular: 5000, interrupted: 400 };

/** Waits for something, but not for ever. */
export const waitAtMost = async (promise: Promise<unknown>, ms: number, interrupted?: AbortSignal): Promise<void> => {
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  const timer = setTimeout(end, ms);
  const giveUp = (): void => end();
  interrupted?.addEventListener('abort', giveUp);
  await Promise.race([promise, over]);
  interrupted?.removeEventListener('abort', giveUp);
  clearTimeout(timer);
};

/** Waits for the last tasks after their requests have been cut. */
export const waitForCut = (ended: Promise<void>, isInterrupted: boolean): Promise<void> =>
  waitAtMost(ended, isInterrupted ? cutMs.interrupted : cutMs.regular);
