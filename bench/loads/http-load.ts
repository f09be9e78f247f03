/**
 * An HTTP load from a separate process, so that its cost is not the service's and its work delays none of the service's clocks.
 * @module
 */
import { askChild } from '../harness/child.ts';

/** A request, as it travels to the generator. */
export interface Ask {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly token?: string;
  readonly body?: Readonly<Record<string, string>>;
}

/** How often requests begin. `perSecond`: open loop, a start is never put off. `hands`: closed loop, that many at once. */
export type Pace = { readonly perSecond: number } | { readonly hands: number };

/** A load to send. */
export interface Plan {
  readonly url: string;
  /** Taken in turn, from the first again after the last. */
  readonly asks: readonly Ask[];
  readonly seconds: number;
  readonly pace: Pace;
  /** Most connections; a request that finds none free waits, and the wait counts. */
  readonly connections: number;
  /**
   * Whether requests take all connections in turn. They are opened one after another, so that workers take them in turn too; opening one
   * costs a request that is not recorded.
   */
  readonly isSpread?: boolean;
  /** Each request is sent once; the load ends with the last. */
  readonly isOnce?: boolean;
  /** Each hand sends its own request, whose `refresh_token` is replaced by that of each answer. */
  readonly isChain?: boolean;
  /** One in this number of refused clients waits exactly as long as `Retry-After` says and asks again. */
  readonly retryOneOf?: number;
}

/** A client that was refused and came back when it was told to. */
export interface Return {
  /** When it was first refused, seconds since the start. */
  readonly refusedAtSeconds: number;
  /** How long each refusal told it to wait, seconds. */
  readonly toldSeconds: readonly number[];
  /** The status of each retry, and when it was sent, seconds since the start. */
  readonly retries: readonly { readonly status: number; readonly atSeconds: number }[];
}

/** The answers to a load. Columns: one entry for each answer. */
export interface Load {
  readonly statuses: readonly number[];
  /** Intended start, seconds since the start of the load. */
  readonly dueSeconds: readonly number[];
  /** From the intended start to the end of the answer. */
  readonly tookMs: readonly number[];
  /** Of each refusal that named it. */
  readonly retryAfterSeconds: readonly number[];
  readonly returns: readonly Return[];
  /** Requests that got no answer. */
  readonly failures: number;
  readonly seconds: number;
  /** Of the generator, while it sent. */
  readonly cpuSeconds: number;
}

/** What the process does. */
export type HttpLoadTasks = { send(plan: Plan): Promise<Load> };

/**
 * Sends the plan from a separate process.
 * @param core CPU core that the process is tied to; absent: any
 * @throws Error when that process ends without a result
 */
export const sendLoad = (plan: Plan, core?: number): Promise<Load> =>
  askChild<HttpLoadTasks, 'send'>(
    new URL('http-load-process.ts', import.meta.url),
    'send',
    plan,
    core === undefined ? {} : { core },
  );

/** Latencies of the answers with this status that were due in this stretch, milliseconds. */
export const tookMsOf = (
  { statuses, dueSeconds, tookMs }: Load,
  status: number,
  fromSeconds = 0,
  toSeconds = Number.POSITIVE_INFINITY,
): readonly number[] =>
  tookMs.filter((_, index) => {
    const due = dueSeconds[index] ?? 0;
    return statuses[index] === status && due >= fromSeconds && due < toSeconds;
  });

/** How many answers with this status came in this stretch. */
export const answersIn = (
  { statuses, dueSeconds, tookMs }: Load,
  status: number,
  fromSeconds: number,
  toSeconds: number,
): number =>
  statuses.filter((one, index) => {
    const endedSeconds = (dueSeconds[index] ?? 0) + (tookMs[index] ?? 0) / 1000;
    return one === status && endedSeconds >= fromSeconds && endedSeconds < toSeconds;
  }).length;

/** Answers by status. */
export const answersByStatus = ({ statuses, failures }: Load): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = failures === 0 ? {} : { none: failures };
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

/** Latencies of a load. @throws Error unless every request was answered with 200 */
export const tookMsOfSuccess = (load: Load): readonly number[] => {
  const tookMs = tookMsOf(load, 200);
  if (tookMs.length === load.statuses.length && load.failures === 0) return tookMs;
  throw new Error(`Not every answer was 200: ${JSON.stringify(answersByStatus(load))}`);
};
