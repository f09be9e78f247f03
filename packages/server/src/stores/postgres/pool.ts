/**
 * A pool of connections. A request waits for whichever connection is free first, never for one that
 * is being opened, and a server without a free place is waited for.
 * @module
 */
import type { Client } from 'pg';
import { part } from './connection.ts';
import { isFull } from './unavailable.ts';

/** Options of a pool. */
export interface PoolOptions {
  /** Opens a connection. */
  readonly open: () => Promise<Client>;
  /** Connections that are kept. */
  readonly size: number;
  /** Most connections. */
  readonly max: number;
  /** Longest time that a request waits for a connection, milliseconds. */
  readonly waitMs: number;
  /** Called with messages for the operator. */
  readonly onProblem: (message: string) => void;
}

/** A connection of the pool. */
export interface Pooled {
  readonly client: Client;
  /** When the server last answered on it, monotonic, milliseconds. */
  heardMs: number;
  isIdle: boolean;
  /** Whether the connection is lost: it is not used again. */
  isLost: boolean;
  idleTimer: NodeJS.Timeout | undefined;
}

interface Waiter {
  readonly take: (pooled: Pooled) => void;
  readonly refuse: (error: Error) => void;
}

/** How long a connection above the size stays open without work, milliseconds. */
const idleMsMax = 10_000;
/**
 * Connections opened at the same time: each costs both sides a sign-in, and while they open the
 * others serve most of what waits.
 */
const openingMax = 4;
/** Pause after a connection could not be opened, milliseconds. */
const pauseMs = 100;

/** A pool of connections. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #all = new Set<Pooled>();
  /** The one used last is at the end and used next, so that those above the size become idle. */
  readonly #idle: Pooled[] = [];
  /** In the order of their calls. */
  readonly #waiting = new Set<Waiter>();
  #opening = 0;
  #pause: NodeJS.Timeout | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Present number of connections, and of requests that wait for one. */
  get counts(): { readonly total: number; readonly idle: number; readonly waiting: number } {
    return { total: this.#all.size, idle: this.#idle.length, waiting: this.#waiting.size };
  }

  /**
   * A connection for one caller, who gives it back with {@link release} or {@link discard}.
   * @throws the error of the last attempt to connect when there is no connection, or an error when
   *   none became free in time
   */
  acquire(): Promise<Pooled> {
    const pooled = this.#idle.pop();
    if (pooled !== undefined) {
      pooled.isIdle = false;
      clearTimeout(pooled.idleTimer);
      return Promise.resolve(pooled);
    }
    if (this.#onEmpty !== undefined) return Promise.reject(new Error('The pool is closed'));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => waiter.refuse(new Error(`No connection became free within ${this.#options.waitMs} ms`)),
        this.#options.waitMs,
      );
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(waiter);
      };
      const waiter: Waiter = {
        take: (free) => {
          settle();
          resolve(free);
        },
        refuse: (error) => {
          settle();
          reject(error);
        },
      };
      this.#waiting.add(waiter);
      this.#grow();
    });
  }

  /** Gives back a connection on which the server has answered. */
  release(pooled: Pooled): void {
    if (pooled.isLost) {
      this.discard(pooled);
      return;
    }
    pooled.heardMs = performance.now();
    const [next] = this.#waiting;
    if (next !== undefined) next.take(pooled);
    else if (this.#onEmpty !== undefined) this.discard(pooled);
    else this.#rest(pooled);
  }

  /** Takes a connection out of the pool and closes it. */
  discard(pooled: Pooled): void {
    if (!this.#all.delete(pooled)) return;
    clearTimeout(pooled.idleTimer);
    if (pooled.isIdle) this.#idle.splice(this.#idle.indexOf(pooled), 1);
    part(pooled.client);
    this.#grow();
    if (this.#all.size === 0) this.#onEmpty?.();
  }

  /**
   * Closes the idle connections that the server has not answered on since a moment. After a failover
   * without a reset, open connections stay silent for ever: when one is found out, the older ones
   * are not tried one after the other.
   */
  condemnSilentSince(sinceMs: number): void {
    for (const pooled of [...this.#idle]) if (pooled.heardMs < sinceMs) this.discard(pooled);
  }

  /** Finishes the requests that have a connection or wait for one, and closes all connections. */
  async close(): Promise<void> {
    if (this.#onEmpty !== undefined) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = () => {
        if (this.#all.size > 0 || this.#opening > 0 || this.#waiting.size > 0) return;
        clearTimeout(this.#pause);
        resolve();
      };
      for (const pooled of [...this.#idle]) this.discard(pooled);
      this.#onEmpty();
    });
  }

  /** A connection that nothing waits for. */
  #rest(pooled: Pooled): void {
    pooled.isIdle = true;
    this.#idle.push(pooled);
    if (this.#all.size > this.#options.size)
      pooled.idleTimer = setTimeout(() => {
        if (this.#all.size > this.#options.size) this.discard(pooled);
      }, idleMsMax);
  }

  /** Opens connections for the requests that wait. */
  #grow(): void {
    const { max } = this.#options;
    while (
      this.#pause === undefined &&
      this.#waiting.size > this.#opening &&
      this.#all.size + this.#opening < max &&
      this.#opening < openingMax
    ) {
      this.#opening++;
      this.#options.open().then(
        (client) => this.#add(client),
        (error: Error) => this.#failed(error),
      );
    }
  }

  #add(client: Client): void {
    this.#opening--;
    const pooled = { client, heardMs: 0, isIdle: false, isLost: false, idleTimer: undefined };
    this.#all.add(pooled);
    client.on('error', (error) => this.#lost(pooled, error.message));
    client.on('end', () => this.#lost(pooled, 'it ended'));
    this.release(pooled);
    this.#grow();
  }

  #lost(pooled: Pooled, reason: string): void {
    pooled.isLost = true;
    if (!pooled.isIdle || !this.#all.has(pooled)) return;
    this.#options.onProblem(`PostgreSQL closed an idle connection: ${reason}`);
    this.discard(pooled);
  }

  #failed(error: Error): void {
    this.#opening--;
    this.#pause ??= setTimeout(() => {
      this.#pause = undefined;
      this.#grow();
    }, pauseMs);
    // While there are connections, or the server only lacks a free place, waiting helps.
    if (this.#all.size === 0 && !isFull(error)) for (const waiter of [...this.#waiting]) waiter.refuse(error);
    this.#onEmpty?.();
  }
}
