/**
 * Everything measured about requests: by endpoint, over the whole run and over the steady window,
 * and second by second.
 * @module
 */

import { Histogram } from '../statistics/histogram.ts';
import { type ErrorCount, ErrorCounts } from './error-counts.ts';
import type { Measured } from './measured.ts';
import { KnownNames, Window, type WindowDump } from './window.ts';

/** One second of the run. */
export interface Second {
  readonly requests: number;
  readonly ok: number;
  readonly expected: number;
  readonly real: number;
  readonly bytes: number;
  readonly latency: Histogram;
}

/** The recorded requests as they travel between processes. */
export interface RecorderDump {
  /** Requests sent before the steady window, and in it. */
  readonly early: WindowDump;
  readonly steady: WindowDump | undefined;
  readonly errors: readonly ErrorCount[];
}

/** Receives every record, to measure it in another way. */
export interface Follower {
  record(measured: Measured): void;
  recordLogout(kind: 'completed' | 'pending', sentAtMs: number): void;
}

const noSecond = (): { -readonly [Key in keyof Second]: Second[Key] } => ({
  requests: 0,
  ok: 0,
  expected: 0,
  real: 0,
  bytes: 0,
  latency: new Histogram(),
});

/**
 * Records exchanges as they end. Each is counted in one window and in one second, so that the
 * seconds add up to the whole run.
 */
export class Recorder {
  readonly #follower: Follower | undefined;
  /** Both windows tell the same endpoints apart. */
  readonly #names = new KnownNames();
  #early = new Window(this.#names);
  #steady: Window | undefined;
  #errors = new ErrorCounts();
  #steadyFromMs = Number.POSITIVE_INFINITY;
  #isClosed = false;
  #second = noSecond();

  constructor(follower?: Follower) {
    this.#follower = follower;
  }

  /**
   * The whole run. Added up when it is asked for: recording twice would be a part of what a request
   * costs.
   */
  get whole(): Window {
    const whole = new Window(this.#names);
    for (const part of [this.#early, this.#steady]) if (part !== undefined) whole.absorb(part.dump());
    return whole;
  }

  /** Requests sent since every user had been ready once; `undefined` until then. */
  get steady(): Window | undefined {
    return this.#steady;
  }

  get errors(): ErrorCounts {
    return this.#errors;
  }

  /** Requests sent from now on count for the steady window. */
  startSteady(nowMs: number): void {
    this.#steady = new Window(this.#names);
    this.#steadyFromMs = nowMs;
  }

  /**
   * Requests that end from now on are not recorded: they were cut by an interrupt, not by the
   * target, or the run is over.
   */
  close(): void {
    this.#isClosed = true;
  }

  /** Takes an answer to a logout: revoked everywhere, or pending. */
  recordLogout(kind: 'completed' | 'pending', sentAtMs: number): void {
    if (this.#isClosed) return;
    this.#windowAt(sentAtMs).logouts[kind] += 1;
    this.#follower?.recordLogout(kind, sentAtMs);
  }

  record(measured: Measured): void {
    if (this.#isClosed) return;
    const { outcome, sentAtMs, answeredAtMs, bytes } = measured;
    const endpoint = this.#windowAt(sentAtMs).record(measured);
    this.#second.latency.record(answeredAtMs - sentAtMs);
    this.#second.requests += 1;
    this.#second.bytes += bytes;
    this.#second[outcome.kind] += 1;
    if (outcome.kind !== 'ok') this.#errors.record(measured, endpoint.name);
    this.#follower?.record(measured);
  }

  /** Ends the running second. */
  turnSecond(): Second {
    const second = this.#second;
    this.#second = noSecond();
    return second;
  }

  /** Returns the records since the last call, for another recorder to absorb, and forgets them. */
  take(): RecorderDump {
    const dump = { early: this.#early.dump(), steady: this.#steady?.dump(), errors: this.#errors.all };
    this.#early = new Window(this.#names);
    this.#steady = this.#steady && new Window(this.#names);
    this.#errors = new ErrorCounts();
    this.#second = noSecond();
    return dump;
  }

  /**
   * Adds the records of another process, to the running second too.
   * @param clockMs from its clock to ours, milliseconds
   */
  absorb({ early, steady, errors }: RecorderDump, clockMs = 0): void {
    this.#absorbWindow(this.#early, early);
    if (steady !== undefined) {
      this.#steady ??= new Window(this.#names);
      this.#absorbWindow(this.#steady, steady);
    }
    for (const error of errors)
      this.#errors.absorb({ ...error, endpoint: this.#names.endpointOf(error.method, error.endpoint) }, clockMs);
  }

  #windowAt(sentAtMs: number): Window {
    return this.#steady !== undefined && sentAtMs >= this.#steadyFromMs ? this.#steady : this.#early;
  }

  #absorbWindow(window: Window, dump: WindowDump): void {
    window.absorb(dump);
    for (const { bytes, latencies } of dump.endpoints) {
      this.#second.bytes += bytes;
      for (const [kind, latency] of latencies) {
        this.#second.latency.absorb(latency);
        this.#second.requests += latency.count;
        this.#second[kind] += latency.count;
      }
    }
  }
}
