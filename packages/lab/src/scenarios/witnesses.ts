/**
 * Signing out before witnesses: every worker is asked whether the token is dead, at once after the
 * promise and, for a sample, all the time from the logout's sending on.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import type { RevocationMeasure } from '../measures/revocation.ts';
import type { Witness, Workers } from '../targets/workers.ts';
import { type Answered, exchange, type HeldToken, type Measures } from './exchange.ts';
import type { VirtualUser } from './virtual-user.ts';

/**
 * Longest wait for a pending revocation and for a probed refusal, milliseconds; a run waits ten
 * seconds for its last answers.
 */
const patienceMs = 8000;
/**
 * A probe asks without a pause for this long, then with one: a refusal that takes longer needs no
 * finer clock.
 */
const eagerMs = 200;
const probePauseMs = 10;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Whether a verify was refused: as dead, or because the worker does not know the state of
 * revocations and says no.
 */
const isRefused = ({ status, code }: Answered): boolean =>
  status === 401 || (status === 503 && code === 'revocation_state_unavailable');

/** Parts that the witnesses work with. */
export interface WitnessParts {
  readonly workers: Workers;
  readonly measures: Measures;
  readonly revocation: RevocationMeasure;
  /** One logout in this many is probed. */
  readonly probeEvery: number;
}

/** Asks every worker. */
export class Witnesses {
  readonly #parts: WitnessParts;
  #logouts = 0;

  constructor(parts: WitnessParts) {
    this.#parts = parts;
  }

  /**
   * Signs a user out and asks whether its token is dead.
   * @param intendedAtMs when the logout should have started, in the open model
   */
  async signOut(user: VirtualUser, intendedAtMs?: number): Promise<void> {
    const { token } = user;
    if (token === undefined) return;
    const { revocation } = this.#parts;
    const isProbed = this.#logouts++ % this.#parts.probeEvery === 0;
    const { all, close } = this.#parts.workers.witnesses();
    const cancelled = new AbortController();
    const answering = user.logout(intendedAtMs);
    const probing = isProbed ? this.#probe(token, all, cancelled.signal) : undefined;
    const answered = await answering;
    const { status } = answered ?? {};
    if (answered !== undefined && (status === 200 || status === 202)) {
      revocation.logout.record(answered.answeredAtMs - (intendedAtMs ?? answered.sentAtMs));
      await this.#askAll(token, all, answered);
    } else cancelled.abort();
    await probing;
    close();
  }

  #verify(token: HeldToken, witness: Witness): Promise<Answered> {
    return exchange(this.#parts.measures, witness, { method: 'GET', path: paths.verify }, { task: 'verify', token });
  }

  /** One verify on each, from the promise on. */
  async #askAll(token: HeldToken, all: readonly Witness[], logout: Answered): Promise<void> {
    const { revocation, measures } = this.#parts;
    const waitMs = (token.deadFromMs ?? Number.POSITIVE_INFINITY) - measures.nowMs();
    if (waitMs > patienceMs) return;
    // A timer may end a fraction of a millisecond early; a question before the promise is none.
    if (waitMs > 0) await sleep(Math.ceil(waitMs) + 1);
    const answers = await Promise.all(
      all.map(async (witness) => ({ witness, answered: await this.#verify(token, witness) })),
    );
    const lost = answers.filter(({ witness, answered }) => answered.worker !== witness.worker).length;
    revocation.lostWorkers += lost;
    // A 202 promises nothing for the moment of its answer, so its times would say nothing beside
    // those of a 200.
    if (logout.status === 200 && lost === 0 && answers.every(({ answered }) => isRefused(answered)))
      revocation.rejection.record(
        Math.max(...answers.map(({ answered }) => answered.answeredAtMs)) - logout.answeredAtMs,
      );
  }

  /** Verifies on each without end until it refuses, and takes the slowest. */
  async #probe(token: HeldToken, all: readonly Witness[], cancelled: AbortSignal): Promise<void> {
    const { nowMs } = this.#parts.measures;
    const sentAtMs = token.revokeSentAtMs ?? nowMs();
    const untilRefusal = async (witness: Witness): Promise<number | undefined> => {
      while (nowMs() - sentAtMs < patienceMs && !cancelled.aborted) {
        const answered = await this.#verify(token, witness);
        if (answered.worker !== witness.worker) return undefined;
        if (isRefused(answered)) return answered.answeredAtMs - sentAtMs;
        if (answered.answeredAtMs - sentAtMs > eagerMs) await sleep(probePauseMs);
      }
      if (!cancelled.aborted) this.#parts.revocation.unrefused += 1;
      return undefined;
    };
    const refusals = await Promise.all(all.map(untilRefusal));
    if (refusals.length > 0 && refusals.every((ms) => ms !== undefined))
      this.#parts.revocation.propagation.record(Math.max(...refusals));
  }
}
