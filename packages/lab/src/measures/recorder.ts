/**
 * Everything measured about requests: by endpoint, over the whole run and over the steady window, and second by second.
 * @module
 */
import { type ErrorCount, ErrorCounts } from './error-counts.ts';
import { Histogram, type HistogramDump } from './histogram.ts';
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

/** Most endpoints that are told apart: a scenario that counts each path with its id apart must not fill the memory either. */
const endpointsMax = 500;
const otherEndpoints = 'other endpoints';

/** A window of the run, by endpoint. */
export class Window {
  readonly endpoints = new Map<string, EndpointMeasure>();
  /** Requests by the worker that answered. */
  readonly workers = new Map<string, number>();
  /** Answers 200 and 202 to logouts. */
  readonly logouts = { completed: 0, pending: 0 };
  /** Requests to which no answer came. */
  unanswered = 0;

  /** Latencies of all endpoints. Added up when they are asked for: recording each twice would be a part of what a request costs. */
  get total(): Histogram {
    const total = new Histogram();
    for (const { latency } of this.endpoints.values()) total.add(latency);
    return total;
  }

  record(measured: Measured): void {
    const { method, name, outcome, sentAtMs, answeredAtMs, bytes, worker } = measured;
    const latencyMs = answeredAtMs - sentAtMs;
    const endpoint = this.#endpoint(method, name);
    endpoint.latency.record(latencyMs);
    endpoint[outcome.kind] += 1;
    endpoint.bytes += bytes;
    if (outcome.isUnanswered === true) this.unanswered += 1;
    if (worker !== undefined && (this.workers.has(worker) || this.workers.size < workersMax))
      this.workers.set(worker, (this.workers.get(worker) ?? 0) + 1);
  }

  dump(): WindowDump {
    return {
      endpoints: [...this.endpoints.values()].map((each) => ({ ...each, latency: each.latency.dump() })),
      workers: this.workers,
      logouts: this.logouts,
      unanswered: this.unanswered,
    };
  }

  /** Adds what another process has recorded. */
  absorb({ endpoints, workers, logouts, unanswered }: WindowDump): void {
    for (const other of endpoints) {
      const { ok, expected, real, bytes } = other;
      const endpoint = this.#endpoint(other.method, other.name);
      endpoint.latency.absorb(other.latency);
      endpoint.ok += ok;
      endpoint.expected += expected;
      endpoint.real += real;
      endpoint.bytes += bytes;
    }
    for (const [worker, count] of workers) this.workers.set(worker, (this.workers.get(worker) ?? 0) + count);
    this.logouts.completed += logouts.completed;
    this.logouts.pending += logouts.pending;
    this.unanswered += unanswered;
  }

  #endpoint(method: string, name: string): EndpointMeasure {
    const key = `${method} ${name}`;
    const known = this.endpoints.get(key);
    if (known !== undefined) return known;
    if (this.endpoints.size >= endpointsMax && name !== otherEndpoints) return this.#endpoint(method, otherEndpoints);
    const endpoint = { method, name, latency: new Histogram(), ok: 0, expected: 0, real: 0, bytes: 0 };
    this.endpoints.set(key, endpoint);
    return endpoint;
  }
}

/** A window as it travels between processes. */
export interface WindowDump {
  readonly endpoints: readonly (Omit<EndpointMeasure, 'latency'> & { readonly latency: HistogramDump })[];
  readonly workers: ReadonlyMap<string, number>;
  readonly logouts: { readonly completed: number; readonly pending: number };
  readonly unanswered: number;
}

/** One second of the run. */
export interface Second {
  readonly requests: number;
  readonly ok: number;
  readonly expected: number;
  readonly real: number;
  readonly bytes: number;
  /** With two significant digits. */
  readonly latency: Histogram;
}

/** All that a recorder holds, as it travels between processes. */
export interface RecorderDump {
  readonly whole: WindowDump;
  readonly steady: WindowDump | undefined;
  readonly errors: readonly ErrorCount[];
}

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
  #counts = { requests: 0, ok: 0, expected: 0, real: 0, bytes: 0 };

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
    const { outcome, sentAtMs, answeredAtMs, bytes } = measured;
    this.whole.record(measured);
    if (sentAtMs >= this.#steadyFromMs) this.steady?.record(measured);
    this.#second.record(answeredAtMs - sentAtMs);
    this.#counts.requests += 1;
    this.#counts.bytes += bytes;
    this.#counts[outcome.kind] += 1;
    this.errors.record(measured);
    this.#follower?.record(measured);
  }

  /** Ends the running second. */
  turnSecond(): Second {
    const second: Second = { ...this.#counts, latency: this.#second };
    this.#second = new Histogram(2);
    this.#counts = { requests: 0, ok: 0, expected: 0, real: 0, bytes: 0 };
    return second;
  }

  dump(): RecorderDump {
    return { whole: this.whole.dump(), steady: this.steady?.dump(), errors: this.errors.all };
  }

  /** Adds what another process has recorded. */
  absorb({ whole, steady, errors }: RecorderDump): void {
    this.whole.absorb(whole);
    if (steady !== undefined) {
      this.steady ??= new Window();
      this.steady.absorb(steady);
    }
    for (const error of errors) this.errors.absorb(error);
  }
}
