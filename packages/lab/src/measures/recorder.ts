/**
 * Everything measured about requests: by endpoint, over the whole run and over the steady window, and second by second.
 * @module
 */
import { ErrorCounts } from './error-counts.ts';
import { Histogram } from './histogram.ts';
import type { Measured } from './measured.ts';

/** Counts and latencies of one endpoint. Latencies cover every request, as in Locust; one that got no answer with the time until that was clear. */
export interface EndpointMeasure {
  readonly method: string;
  readonly name: string;
  readonly latency: Histogram;
  ok: number;
  expected: number;
  real: number;
  bytes: number;
}

/** Most workers that are told apart: a target that invents names must not fill the memory. */
const workersMax = 1000;

/** A window of the run, by endpoint. */
export class Window {
  readonly endpoints = new Map<string, EndpointMeasure>();
  /** Requests by the worker that answered. */
  readonly workers = new Map<string, number>();
  readonly total = new Histogram();
  /** Answers 200 and 202 to logouts. */
  readonly logouts = { completed: 0, pending: 0 };
  /** Requests to which no answer came. */
  unanswered = 0;

  record({ method, name, outcome, sentAtMs, answeredAtMs, bytes, worker }: Measured): void {
    const latencyMs = answeredAtMs - sentAtMs;
    const key = `${method} ${name}`;
    let endpoint = this.endpoints.get(key);
    if (endpoint === undefined) {
      endpoint = { method, name, latency: new Histogram(), ok: 0, expected: 0, real: 0, bytes: 0 };
      this.endpoints.set(key, endpoint);
    }
    endpoint.latency.record(latencyMs);
    this.total.record(latencyMs);
    endpoint[outcome.kind] += 1;
    endpoint.bytes += bytes;
    if (outcome.isUnanswered === true) this.unanswered += 1;
    if (worker !== undefined && (this.workers.has(worker) || this.workers.size < workersMax))
      this.workers.set(worker, (this.workers.get(worker) ?? 0) + 1);
  }
}

/** One second of the run. */
export interface Second {
  readonly requests: number;
  readonly ok: number;
  readonly expected: number;
  readonly real: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

/** Seconds that the percentiles of a history row cover: a cumulative percentile would hide every late spike. */
export const historyWindowSeconds = 10;

/** Is told all that is recorded, to measure it in another way. */
export interface Follower {
  record(measured: Measured): void;
  recordLogout(kind: 'completed' | 'pending', sentAtMs: number): void;
}

/** Records exchanges as they end. */
export class Recorder {
  readonly whole = new Window();
  steady: Window | undefined;
  readonly errors = new ErrorCounts();

  readonly #follower: Follower | undefined;
  #steadyFromMs = Number.POSITIVE_INFINITY;
  #isClosed = false;
  #second = new Histogram(2);
  readonly #recent: Histogram[] = [];
  #counts = { requests: 0, ok: 0, expected: 0, real: 0 };

  constructor(follower?: Follower) {
    this.#follower = follower;
  }

  /** Requests sent from now on also count for the steady window. */
  startSteady(nowMs: number): void {
    this.steady = new Window();
    this.#steadyFromMs = nowMs;
  }

  /** Requests that end from now on are not recorded: an interrupt has cut them, not the target. */
  close(): void {
    this.#isClosed = true;
  }

  /** Takes an answer to a logout: revoked everywhere, or pending. */
  recordLogout(kind: 'completed' | 'pending', sentAtMs: number): void {
    this.whole.logouts[kind] += 1;
    if (this.steady !== undefined && sentAtMs >= this.#steadyFromMs) this.steady.logouts[kind] += 1;
    this.#follower?.recordLogout(kind, sentAtMs);
  }

  record(measured: Measured): void {
    if (this.#isClosed) return;
    const { outcome, sentAtMs, answeredAtMs } = measured;
    this.whole.record(measured);
    if (sentAtMs >= this.#steadyFromMs) this.steady?.record(measured);
    this.#second.record(answeredAtMs - sentAtMs);
    this.#counts.requests += 1;
    this.#counts[outcome.kind] += 1;
    this.errors.record(measured);
    this.#follower?.record(measured);
  }

  /** Ends the running second. */
  turnSecond(): Second {
    const histogram = this.#second;
    const second: Second = {
      ...this.#counts,
      p50Ms: histogram.at(50) ?? null,
      p95Ms: histogram.at(95) ?? null,
      p99Ms: histogram.at(99) ?? null,
    };
    this.#recent.push(histogram);
    const reusable = this.#recent.length > historyWindowSeconds ? this.#recent.shift() : undefined;
    reusable?.reset();
    this.#second = reusable ?? new Histogram(2);
    this.#counts = { requests: 0, ok: 0, expected: 0, real: 0 };
    return second;
  }

  /** Latencies of the last ten whole seconds. */
  recent(): Histogram {
    const merged = new Histogram(2);
    for (const histogram of this.#recent) merged.add(histogram);
    return merged;
  }
}
