/**
 * Requests of a stretch of the run, by endpoint. Constant memory, whatever the target and the
 * scenario do.
 * @module
 */
import { Histogram, type HistogramDump } from '../statistics/histogram.ts';
import type { Measured } from './measured.ts';
import type { Outcome } from './outcome.ts';

/** Most distinct workers: a target that invents names must not fill the memory. */
const workersMax = 1000;
const otherWorkers = 'other workers';

/**
 * Most distinct endpoints: a scenario that names each request after an id must not fill the memory
 * either.
 */
const endpointsMax = 500;
const otherEndpoints = 'other endpoints';

/**
 * The names that are kept: the first ones seen. Later ones share one name. Windows of one run share
 * an instance, so they name the same endpoints.
 */
export class KnownNames {
  readonly #endpoints = new Set<string>();
  readonly #workers = new Set<string>();

  endpointOf(method: string, name: string): string {
    return isKept(this.#endpoints, endpointsMax, `${method} ${name}`) ? name : otherEndpoints;
  }

  workerOf(name: string): string {
    return isKept(this.#workers, workersMax, name) ? name : otherWorkers;
  }
}

const isKept = (names: Set<string>, most: number, name: string): boolean => {
  if (names.has(name)) return true;
  if (names.size >= most) return false;
  names.add(name);
  return true;
};

const outcomes = ['ok', 'expected', 'real'] as const;

/**
 * Counts and latencies of one endpoint. Latencies cover every request, as in Locust; one that got
 * no answer with the time until that was clear.
 */
export class EndpointMeasure {
  readonly method: string;
  readonly name: string;
  bytes = 0;
  /** By outcome, made on first use: failures are often much faster or slower than successes. */
  readonly #latencies: Record<Outcome['kind'], Histogram | undefined> = {
    ok: undefined,
    expected: undefined,
    real: undefined,
  };

  constructor(method: string, name: string) {
    this.method = method;
    this.name = name;
  }

  get ok(): number {
    return this.#latencies.ok?.count ?? 0;
  }

  get expected(): number {
    return this.#latencies.expected?.count ?? 0;
  }

  get real(): number {
    return this.#latencies.real?.count ?? 0;
  }

  /** Latencies of all outcomes together. */
  get latency(): Histogram {
    return sumOf(this.latencies.map(([, latency]) => latency));
  }

  /** Latencies of each outcome that there was. */
  get latencies(): readonly (readonly [Outcome['kind'], Histogram])[] {
    return outcomes.flatMap((kind) => {
      const latency = this.#latencies[kind];
      return latency === undefined ? [] : [[kind, latency] as const];
    });
  }

  /** Latencies of an outcome, to be recorded. */
  latencyOf(kind: Outcome['kind']): Histogram {
    const known = this.#latencies[kind];
    if (known !== undefined) return known;
    const latency = new Histogram();
    this.#latencies[kind] = latency;
    return latency;
  }
}

const sumOf = (histograms: readonly Histogram[]): Histogram => {
  const sum = new Histogram();
  for (const histogram of histograms) sum.add(histogram);
  return sum;
};

/** A window of the run, by endpoint. */
export class Window {
  readonly endpoints = new Map<string, EndpointMeasure>();
  /** Requests by the worker that answered. */
  readonly workers = new Map<string, number>();
  /** Answers 200 and 202 to logouts. */
  readonly logouts = { completed: 0, pending: 0 };
  /** Requests to which no answer came. */
  unanswered = 0;
  readonly #names: KnownNames;

  constructor(names = new KnownNames()) {
    this.#names = names;
  }

  /** Latencies of all endpoints. Added up when they are asked for. */
  get total(): Histogram {
    return sumOf([...this.endpoints.values()].flatMap(({ latencies }) => latencies).map(([, latency]) => latency));
  }

  /** Latencies of all endpoints with one outcome. */
  totalOf(kind: Outcome['kind']): Histogram {
    const all = [...this.endpoints.values()].flatMap(({ latencies }) => latencies);
    return sumOf(all.filter(([each]) => each === kind).map(([, latency]) => latency));
  }

  /** Counts a request. Returns the endpoint under which it was counted. */
  record({ method, name, outcome, sentAtMs, answeredAtMs, bytes, worker }: Measured): EndpointMeasure {
    const endpoint = this.#endpoint(method, name);
    endpoint.latencyOf(outcome.kind).record(answeredAtMs - sentAtMs);
    endpoint.bytes += bytes;
    if (outcome.isUnanswered === true) this.unanswered += 1;
    if (worker !== undefined) this.#countWorker(worker, 1);
    return endpoint;
  }

  dump(): WindowDump {
    return {
      endpoints: [...this.endpoints.values()].map(({ method, name, bytes, latencies }) => ({
        method,
        name,
        bytes,
        latencies: latencies.map(([kind, latency]) => [kind, latency.dump()]),
      })),
      workers: this.workers,
      logouts: this.logouts,
      unanswered: this.unanswered,
    };
  }

  /** Adds the records of another window. */
  absorb({ endpoints, workers, logouts, unanswered }: WindowDump): void {
    for (const { method, name, bytes, latencies } of endpoints) {
      const endpoint = this.#endpoint(method, name);
      for (const [kind, latency] of latencies) endpoint.latencyOf(kind).absorb(latency);
      endpoint.bytes += bytes;
    }
    for (const [worker, count] of workers) this.#countWorker(worker, count);
    this.logouts.completed += logouts.completed;
    this.logouts.pending += logouts.pending;
    this.unanswered += unanswered;
  }

  #countWorker(worker: string, more: number): void {
    const name = this.#names.workerOf(worker);
    this.workers.set(name, (this.workers.get(name) ?? 0) + more);
  }

  #endpoint(method: string, name: string): EndpointMeasure {
    const known = this.endpoints.get(`${method} ${name}`);
    if (known !== undefined) return known;
    const told = this.#names.endpointOf(method, name);
    const key = `${method} ${told}`;
    const endpoint = this.endpoints.get(key) ?? new EndpointMeasure(method, told);
    this.endpoints.set(key, endpoint);
    return endpoint;
  }
}

/** A window as it travels between processes. */
export interface WindowDump {
  readonly endpoints: readonly {
    readonly method: string;
    readonly name: string;
    readonly bytes: number;
    readonly latencies: readonly (readonly [Outcome['kind'], HistogramDump])[];
  }[];
  readonly workers: ReadonlyMap<string, number>;
  readonly logouts: { readonly completed: number; readonly pending: number };
  readonly unanswered: number;
}
