/**
 * A connection to Redis that is either up or being reopened; no caller ever waits for it. It works
 * as a circuit breaker: the first missed deadline opens it, and a new connection on which every
 * step has worked once closes it.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { connectToPrimary, cut, type RedisConnection } from './redis-connection.ts';
import type { RedisPlace } from './redis-place.ts';

/** Parts of a link. */
export interface RedisLinkParts {
  readonly place: RedisPlace;
  /** Prepares a new connection; when it rejects, the connection is discarded. */
  readonly prepare: (connection: RedisConnection) => Promise<void>;
  readonly onUp: (connection: RedisConnection) => void;
  readonly onDown: () => void;
  readonly onProblem: (message: string, error?: unknown) => void;
}

/**
 * Longest time between two attempts, milliseconds: short, so that a bus that is back is used within
 * a second.
 */
const retryMsMax = 600;
const retryMsMin = 50;

/**
 * Half of the time is random, so that the processes of a deployment do not all reconnect at the
 * same moment.
 */
const retryMs = (attempt: number): number =>
  Math.min(retryMsMax, retryMsMin * 2 ** Math.min(attempt, 10)) * (0.5 + 0.5 * Math.random());

/** Keeps a connection open. */
export class RedisLink {
  readonly #parts: RedisLinkParts;
  readonly #closing = new AbortController();
  #connection: RedisConnection | undefined;
  #endNow: (reason: Error) => void = () => {};
  #loop: Promise<void> | undefined;
  #isFailing = false;

  constructor(parts: RedisLinkParts) {
    this.#parts = parts;
  }

  /** The connection; `undefined` while none works. */
  get connection(): RedisConnection | undefined {
    return this.#connection;
  }

  /** Begins to connect, and returns at once. */
  start(): void {
    this.#loop ??= this.#run();
  }

  /** Discards the connection and opens a new one. */
  fail(reason: Error): void {
    this.#endNow(reason);
  }

  /** Closes the connection and stops reconnecting. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#endNow(new Error('This process stops'));
    await this.#loop;
  }

  get #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  async #run(): Promise<void> {
    for (let attempt = 0; !this.#isClosing; attempt++) {
      try {
        attempt = await this.#live(attempt);
      } catch (error) {
        this.#report(error);
      }
      // A close ends the wait early.
      await delay(retryMs(attempt), undefined, { signal: this.#closing.signal, ref: false }).catch(() => {});
    }
  }

  /**
   * Lives from an attempt to connect to the end of the connection. Returns the number of the last
   * attempt; rejects when none came up.
   */
  async #live(attempt: number): Promise<number> {
    const { place, prepare, onUp, onDown } = this.#parts;
    const connection = await connectToPrimary(place);
    const ended = new Promise<Error>((resolve) => {
      this.#endNow = resolve;
      connection.on('error', resolve);
      connection.on('end', () => resolve(new Error('Redis closed the connection')));
    });
    try {
      if (this.#isClosing) return attempt;
      await prepare(connection);
      if (this.#isFailing) this.#parts.onProblem('Redis answers again');
      this.#isFailing = false;
      this.#connection = connection;
      onUp(connection);
      this.#report(await ended);
      return 0;
    } finally {
      this.#endNow = () => {};
      const wasUp = this.#connection !== undefined;
      this.#connection = undefined;
      cut(connection);
      if (wasUp) onDown();
    }
  }

  /** Reports once for each time that Redis is away. */
  #report(error: unknown): void {
    if (this.#isFailing || this.#isClosing) return;
    this.#isFailing = true;
    this.#parts.onProblem(
      'Redis does not answer: a sign-out takes about 0.2 s until it does, nothing else changes',
      error,
    );
  }
}
