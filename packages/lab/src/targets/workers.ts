/**
 * Reaching every worker of a target behind one port: connections are opened until one is held to
 * each.
 *
 * Which worker a connection reaches is the kernel's or the supervisor's choice, so this is a
 * search: it ends when many fresh connections in a row have brought no worker that was not known. A
 * target that does not name its workers (`Catalytic-Worker`) is asked over several fresh
 * connections each time, which reaches several workers by chance; the report says so.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import { Connection, type ConnectionLimits, type Reply, type Request } from './connection.ts';
import { idlest } from './lanes.ts';
import { TransportMeasure } from './transport.ts';

/** Connections held to each worker: several questions at once, and a spare when one is closed. */
const lanesPerWorker = 4;
/**
 * Fresh connections per known worker without a new one after which the search ends. Of 4 workers
 * chosen at random, one is missed once in 10,000 searches.
 */
const freshPerWorker = 8;
const freshMin = 16;
/** Most distinct workers, so that a target which invents names cannot keep the search going. */
const workersMax = 256;
/**
 * Pause between two searches, milliseconds: whatever the target does, searching stays a small part
 * of the load.
 */
const searchPauseMs = 1000;
/** Fresh connections per question where workers are not named. */
export const freshPerQuestion = 4;

/** Asks one worker, or over one fresh connection. */
export interface Witness {
  /** The worker it is meant to reach; the answer says which one it did reach. */
  readonly worker?: string;
  send(request: Request): Promise<Reply>;
}

/** Holds connections to every worker. */
export class Workers {
  /** Measurements of these connections. */
  readonly transport = new TransportMeasure();
  readonly #open: () => Connection;
  /** The worker that each connection leads to. */
  readonly #workerOf = new Map<Connection, string>();
  #search: Promise<void> | undefined;
  #searchedAtMs = Number.NEGATIVE_INFINITY;
  #isDestroyed = false;

  constructor(target: string, limits: ConnectionLimits) {
    this.#open = () => new Connection(target, limits, { transport: this.transport });
  }

  /**
   * Workers to which a connection is held, in order of their names; empty when the target names
   * none.
   */
  get names(): readonly string[] {
    return [...new Set(this.#workerOf.values())].sort();
  }

  /** Looks for workers. Several callers share one search. */
  search(): Promise<void> {
    this.#search ??= this.#find().finally(() => {
      this.#search = undefined;
      this.#searchedAtMs = performance.now();
    });
    return this.#search;
  }

  /** Takes note of a worker that answered somewhere: one that is not known starts a search. */
  notice(worker: string): void {
    if (![...this.#workerOf.values()].includes(worker)) this.#searchSoon();
  }

  /** Witnesses to ask about one token, and a function to call when all have been asked. */
  witnesses(): { readonly all: readonly Witness[]; readonly close: () => void } {
    const { names } = this;
    if (names.length > 0)
      return {
        all: names.map((worker) => ({ worker, send: (request) => this.#ask(worker, request) })),
        close: () => {},
      };
    const connections = Array.from({ length: freshPerQuestion }, this.#open);
    return { all: connections, close: () => void Promise.all(connections.map((connection) => connection.destroy())) };
  }

  /** Closes all connections. */
  async destroy(): Promise<void> {
    this.#isDestroyed = true;
    await Promise.all([...this.#workerOf.keys()].map((connection) => connection.destroy()));
  }

  async #ask(worker: string, request: Request): Promise<Reply> {
    const lane = idlest(this.#lanesTo(worker));
    if (lane === undefined) {
      const nowMs = performance.now();
      return { failure: 'the worker went away', sentAtMs: nowMs, endedAtMs: nowMs };
    }
    const reply = await lane.send(request);
    const answeredBy = 'failure' in reply ? undefined : reply.worker;
    if (answeredBy === worker) return reply;
    // The lane was closed, or opened again to another worker, as for a repeated request. It belongs
    // to that worker now, or to none.
    if (answeredBy === undefined) this.#drop(lane);
    else this.#workerOf.set(lane, answeredBy);
    this.#searchSoon();
    return reply;
  }

  #lanesTo(worker: string | undefined): readonly Connection[] {
    return [...this.#workerOf].flatMap(([lane, each]) => (each === worker ? [lane] : []));
  }

  #drop(lane: Connection): void {
    this.#workerOf.delete(lane);
    void lane.destroy();
  }

  #searchSoon(): void {
    if (!this.#isDestroyed && performance.now() - this.#searchedAtMs > searchPauseMs) void this.search();
  }

  async #find(): Promise<void> {
    let fruitless = 0;
    while (!this.#isDestroyed && fruitless < Math.max(freshMin, freshPerWorker * this.names.length)) {
      const connection = this.#open();
      const reply = await connection.send({ method: 'GET', path: paths.live });
      const worker = 'failure' in reply ? undefined : reply.worker;
      const held = this.#lanesTo(worker).length;
      fruitless = held === 0 && worker !== undefined && this.names.length < workersMax ? 0 : fruitless + 1;
      if (worker !== undefined && held < lanesPerWorker && this.names.length < workersMax && !this.#isDestroyed)
        this.#workerOf.set(connection, worker);
      else await connection.destroy();
    }
  }
}
