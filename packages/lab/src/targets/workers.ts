/**
 * Reaching every worker of a target behind one port: connections are opened until one is held to each.
 *
 * Which worker a connection reaches is the kernel's or the supervisor's choice, so this is a search: it ends when many fresh connections in
 * a row have brought no worker that was not known. A target that does not name its workers (`Catalytic-Worker`) is asked over several fresh
 * connections each time, which reaches several workers by chance; the report says so.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import { Connection, type ConnectionLimits, type Reply, type Request } from './connection.ts';
import { idlest, type Lane, sendOver } from './lanes.ts';

/** Connections held to each worker: several questions at once, and a spare when one is closed. */
const lanesPerWorker = 4;
/** The search ends after so many fresh connections per known worker without a new one: of 4 workers chosen at random, one is missed once in 10,000 searches. */
const freshPerWorker = 8;
const freshMin = 16;
/** Most workers that are told apart, so that a target which invents names cannot keep the search going. */
const workersMax = 256;
/** Pause between two searches, milliseconds: whatever the target does, searching stays a small part of the load. */
const searchPauseMs = 1000;
/** Fresh connections per question where workers are not named. */
export const freshPerQuestion = 4;

interface WorkerLane extends Lane {
  worker: string;
}

/** Asks one worker, or over one fresh connection. */
export interface Witness {
  /** The worker it is meant to reach; the answer says which one it did reach. */
  readonly worker?: string;
  send(request: Request): Promise<Reply>;
}

/** Holds connections to every worker. */
export class Workers {
  readonly #open: () => Connection;
  #lanes: WorkerLane[] = [];
  #search: Promise<void> | undefined;
  #searchedAtMs = Number.NEGATIVE_INFINITY;
  #isDestroyed = false;

  constructor(origin: string, limits: ConnectionLimits) {
    this.#open = () => new Connection(origin, limits);
  }

  /** Workers to which a connection is held, in order of their names; empty when the target names none. */
  get names(): readonly string[] {
    return [...new Set(this.#lanes.map(({ worker }) => worker))].sort();
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
    if (!this.#lanes.some((lane) => lane.worker === worker)) this.#searchSoon();
  }

  /** Those to ask about one token, and what to do when all have been asked. */
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
    await Promise.all(this.#lanes.map(({ connection }) => connection.destroy()));
  }

  async #ask(worker: string, request: Request): Promise<Reply> {
    const lane = idlest(this.#lanes.filter((each) => each.worker === worker));
    if (lane === undefined) return { failure: 'the worker went away' };
    const reply = await sendOver(lane, request);
    const answeredBy = 'failure' in reply ? undefined : reply.worker;
    if (answeredBy === worker) return reply;
    // Closed, or closed and opened again to whoever came next: the lane belongs to that one now, or to nobody.
    if (answeredBy === undefined) this.#drop(lane);
    else lane.worker = answeredBy;
    this.#searchSoon();
    return reply;
  }

  #drop(lane: WorkerLane): void {
    this.#lanes = this.#lanes.filter((each) => each !== lane);
    void lane.connection.destroy();
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
      const held = this.#lanes.filter((lane) => lane.worker === worker).length;
      fruitless = held === 0 && worker !== undefined && this.names.length < workersMax ? 0 : fruitless + 1;
      if (worker !== undefined && held < lanesPerWorker && this.names.length < workersMax && !this.#isDestroyed)
        this.#lanes.push({ connection, worker, waiting: 0 });
      else await connection.destroy();
    }
  }
}
