/**
 * The phases of a run that is broken on purpose: each request is counted in the phase in which it
 * was sent. Constant memory for each phase.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import type { OutageSubject } from '../faults/outages.ts';
import { ErrorCounts } from './error-counts.ts';
import { isCutAt, type Measured } from './measured.ts';
import type { Follower } from './recorder.ts';
import { Window } from './window.ts';

/** Kinds of phases: users still start; no outage yet; an outage; after the outage. */
export type PhaseKind = 'starting' | 'before' | 'outage' | 'after';

/** A phase at its beginning. */
export interface PhaseStart {
  /** `before`, `redis paused`, `after redis paused`. */
  readonly name: string;
  readonly kind: PhaseKind;
  /** The broken subject; `undefined` in a quiet phase. */
  readonly subject?: OutageSubject | undefined;
  readonly fromMs: number;
  /** While the database is away: until when checks of tokens should go on without it. */
  readonly leaseEndsAtMs?: number | undefined;
}

/** Paths whose answers only ask whether a token is accepted. */
const checkPaths: ReadonlySet<string> = new Set([paths.protectedSample, paths.verify]);

/** How a service says that it cannot answer without its database. */
const refusalsWithoutDatabase: ReadonlySet<string> = new Set([
  '503 store_unavailable',
  '503 revocation_unknown',
  '503 revocation_state_unavailable',
]);

/** Most different errors that a phase tells apart. */
const errorsMax = 100;

/** A phase, counted. */
export class Phase {
  readonly start: PhaseStart;
  /** `undefined` while it lasts. */
  toMs: number | undefined;
  readonly window = new Window();
  readonly errors = new ErrorCounts(errorsMax);
  /** Checks of tokens sent while the lease lasted, the database being away. */
  readonly leasedChecks = { requests: 0, real: 0 };
  /**
   * Real failures that say that the database is away, as they must: of checks from the end of the
   * lease on, of all else from the beginning.
   */
  refusedAsDesigned = 0;
  /**
   * Real failures of requests that were in flight when the next outage began: counted here, judged
   * there.
   */
  cut = 0;
  /** Such failures of the phase before. */
  inherited = 0;
  /** Answers that broke a promise. */
  violations = 0;

  constructor(start: PhaseStart) {
    this.start = start;
  }

  record(measured: Measured): void {
    const { name, outcome, sentAtMs, answeredAtMs } = measured;
    const endpoint = this.window.record(measured);
    this.errors.record(measured, endpoint.name);
    if (outcome.breach !== undefined) this.violations += 1;
    const { leaseEndsAtMs } = this.start;
    if (leaseEndsAtMs === undefined) return;
    const isReal = outcome.kind === 'real';
    const isCheck = checkPaths.has(name);
    if (isCheck && sentAtMs < leaseEndsAtMs) this.#recordLeased(isReal);
    if (isReal && refusalsWithoutDatabase.has(outcome.name) && (!isCheck || answeredAtMs >= leaseEndsAtMs))
      this.refusedAsDesigned += 1;
  }

  /** Takes a request that this outage has cut. */
  inherit({ name }: Measured): void {
    this.inherited += 1;
    if (this.start.leaseEndsAtMs !== undefined && checkPaths.has(name)) this.#recordLeased(true);
  }

  #recordLeased(isReal: boolean): void {
    this.leasedChecks.requests += 1;
    if (isReal) this.leasedChecks.real += 1;
  }
}

/** All phases of a run, in order. */
export class Phases implements Follower {
  readonly #all: [Phase, ...Phase[]];

  constructor(first: PhaseStart) {
    this.#all = [new Phase(first)];
  }

  get all(): readonly Phase[] {
    return this.#all;
  }

  /** The one that lasts. */
  get current(): Phase {
    return this.#all.at(-1) ?? this.#all[0];
  }

  /** Ends the phase that lasts and begins another. */
  turn(start: PhaseStart): void {
    this.current.toMs = start.fromMs;
    this.#all.push(new Phase(start));
  }

  record(measured: Measured): void {
    const index = this.#indexAt(measured.sentAtMs);
    const phase = this.#all[index] ?? this.#all[0];
    phase.record(measured);
    const next = this.#all[index + 1];
    const isBroken = phase.start.kind !== 'outage' && next?.start.kind === 'outage';
    if (!isBroken || !isCutAt(measured, next.start.fromMs)) return;
    phase.cut += 1;
    next.inherit(measured);
  }

  recordLogout(kind: 'completed' | 'pending', sentAtMs: number): void {
    const phase = this.#all[this.#indexAt(sentAtMs)] ?? this.#all[0];
    phase.window.logouts[kind] += 1;
  }

  /** Place of the phase of a moment; requests sent before the first phase belong to it. */
  #indexAt(sentAtMs: number): number {
    return Math.max(
      0,
      this.#all.findLastIndex(({ start }) => start.fromMs <= sentAtMs),
    );
  }
}
