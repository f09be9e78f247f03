/**
 * Measures a run that is broken on purpose: follows its faults, cuts the run into phases by them,
 * and watches each recovery.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import type { Outage } from '../faults/outages.ts';
import type { Measured } from './measured.ts';
import { type Phase, type PhaseStart, Phases } from './phases.ts';
import type { Follower } from './recorder.ts';
import { Recovery, usualLogoutMs } from './recovery.ts';

/**
 * The lease counts from the last read before the outage, which may be a poll old (100 ms) and had
 * its own way to go: checks that are sent in this last part of it may be refused already.
 */
const leaseMarginMsMax = 200;
/** Of short leases the margin is a quarter. */
const leaseMarginShare = 0.25;

/** An outage that was begun. */
export interface MeasuredOutage {
  readonly outage: Outage;
  readonly beganAtMs: number;
  /** `undefined` until it has healed. */
  recovery: Recovery | undefined;
}

/** Outages of a run, and the lease that they are measured by. */
export interface OutageParts {
  /** In the order of the run. */
  readonly outages: readonly Outage[];
  readonly leaseSeconds: number;
}

/** Follows the faults and the requests of a run. */
export class OutageMeasure implements Follower {
  readonly #outages: readonly Outage[];
  readonly #leaseMs: number;
  readonly #phases: Phases;
  readonly #open = new Set<MeasuredOutage>();
  readonly measured: MeasuredOutage[] = [];
  #isStopped = false;

  /** @param startMs start of the run */
  constructor({ outages, leaseSeconds }: OutageParts, startMs: number) {
    this.#outages = outages;
    const leaseMs = leaseSeconds * 1000;
    this.#leaseMs = leaseMs - Math.min(leaseMarginMsMax, leaseMarginShare * leaseMs);
    this.#phases = new Phases({ name: 'starting', kind: 'starting', fromMs: startMs });
  }

  get phases(): readonly Phase[] {
    return this.#phases.all;
  }

  /** From the beginning of an outage until checks of tokens may fail, milliseconds. */
  get leaseMs(): number {
    return this.#leaseMs;
  }

  /**
   * Longest time that a sign-out took before anything was broken, as {@link usualLogoutMs} says.
   */
  get usualLogoutMs(): number | undefined {
    const before = this.phases.find(({ start }) => start.kind === 'before');
    return usualLogoutMs(before?.window.endpoints.get(`POST ${paths.logout}`)?.latency);
  }

  /** All users have signed in once. */
  becameSteady(atMs: number): void {
    if (this.#phases.current.start.kind === 'starting')
      this.#phases.turn({ name: 'before', kind: 'before', fromMs: atMs });
  }

  /** A fault is about to begin. */
  began(index: number, atMs: number): void {
    const outage = this.#outages.find(({ begins }) => begins === index);
    if (outage === undefined || this.#isStopped) return;
    for (const { recovery } of this.measured) recovery?.breakOff(atMs);
    const measured = { outage, beganAtMs: atMs, recovery: undefined };
    this.measured.push(measured);
    this.#open.add(measured);
    this.#phases.turn(this.#broken(atMs));
  }

  /** A fault is done; one that could not be done has broken nothing, or healed nothing. */
  ended(index: number, atMs: number, isDone: boolean): void {
    if (this.#isStopped) return;
    const over = [...this.#open].find(({ outage: { begins, heals } }) => (isDone ? heals : begins) === index);
    if (over === undefined) return;
    this.#open.delete(over);
    if (isDone) {
      over.recovery = new Recovery(atMs);
      // Later failures belong to the outage that is still open.
      if (this.#open.size > 0) over.recovery.breakOff(atMs);
    }
    this.#phases.turn(
      this.#open.size > 0 ? this.#broken(atMs) : { name: `after ${over.outage.name}`, kind: 'after', fromMs: atMs },
    );
  }

  /** The run has ended. */
  stop(atMs: number): void {
    this.#isStopped = true;
    this.#phases.current.toMs = atMs;
    for (const { recovery } of this.measured) recovery?.end(atMs);
  }

  record(measured: Measured): void {
    this.#phases.record(measured);
    for (const { recovery } of this.measured) recovery?.record(measured);
  }

  recordLogout(kind: 'completed' | 'pending', sentAtMs: number): void {
    this.#phases.recordLogout(kind, sentAtMs);
  }

  /** The phase of all open outages; the database, whose criteria are the loosest, decides. */
  #broken(fromMs: number): PhaseStart {
    const open = [...this.#open];
    const database = open.find(({ outage }) => outage.subject === 'postgres');
    const subjects = new Set(open.map(({ outage }) => outage.subject));
    return {
      name: open.map(({ outage }) => outage.name).join(' and '),
      kind: 'outage',
      subject: database === undefined && subjects.size > 1 ? 'other' : (database ?? open[0])?.outage.subject,
      fromMs,
      leaseEndsAtMs: database && database.beganAtMs + this.#leaseMs,
    };
  }
}
