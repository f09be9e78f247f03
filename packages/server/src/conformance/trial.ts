/**
 * One run against one guard: what every trial works with, and what was found.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { HeldPoll } from './held-poll.ts';
import type { PlayedService } from './played-service.ts';
import type { RuleName } from './rules.ts';
import { type LooseClaims, type SigningPair, signToken, usualClaims } from './signed-tokens.ts';
import type { Asked, TriedApi } from './tried-api.ts';

/** What was found about a rule. */
export interface Finding {
  readonly rule: RuleName;
  readonly isKept: boolean;
  /** What was expected and seen; absent where the rule is kept. */
  readonly expected?: string;
  readonly seen?: string;
}

/** What a trial works with. */
export interface TrialParts {
  readonly service: PlayedService;
  readonly api: TriedApi;
  readonly issuer: string;
  readonly audience: string;
  readonly key: string;
  readonly leaseMs: number;
  readonly isStrict: boolean;
  /** The key that tokens are signed with. */
  readonly pair: SigningPair;
  /** A published key that a trial may revoke. */
  readonly doomed: SigningPair;
  /** A key that is not published. */
  readonly stranger: SigningPair;
}

/** One trial: it judges its rules, in a state in which the guard was current at the beginning. */
export interface TrialCase {
  readonly rules: readonly RuleName[];
  /** Whether it is for guards that register only. @default false */
  readonly isForStrict?: boolean;
  /** Whether it needs the process of the API. @default false */
  readonly needsProcess?: boolean;
  readonly run: (trial: Trial) => Promise<void>;
}

/** Longest time until an honest guard is current again, milliseconds: it may wait before it registers again. */
export const settleMsMax = 15_000;
/** Longest time until an honest guard has asked again, milliseconds, on a busy machine. */
export const askMsMax = 5000;
/** Time between two requests of a series, milliseconds. */
const stepMs = 15;

/** The guard did not become current, so that nothing can be tried. */
export class UnsettledError extends Error {
  override readonly name = 'UnsettledError';
}

/** Waits for a condition. @returns whether it came true in time */
export const within = async (msMax: number, isSo: () => boolean): Promise<boolean> => {
  for (const deadline = performance.now() + msMax; performance.now() < deadline; await delay(5))
    if (isSo()) return true;
  return isSo();
};

/** A trial. */
export class Trial {
  readonly parts: TrialParts;
  /** The key that tokens are signed with. */
  pair: SigningPair;
  /** The tenant of tokens; `undefined`: another one each. */
  tenant: string | undefined;
  readonly #findings = new Map<RuleName, Finding>();

  constructor(parts: TrialParts) {
    this.parts = parts;
    this.pair = parts.pair;
  }

  get service(): PlayedService {
    return this.parts.service;
  }

  /** What was found about a rule; `undefined`: nothing yet. */
  findingOf(rule: RuleName): Finding | undefined {
    return this.#findings.get(rule);
  }

  /** Whether one of these rules was broken. */
  isBroken(rules: readonly RuleName[]): boolean {
    return rules.some((rule) => this.#findings.get(rule)?.isKept === false);
  }

  /** Notes what was found: a broken rule stays broken. */
  judge(rule: RuleName, isKept: boolean, expected: string, seen: string): void {
    if (this.#findings.get(rule)?.isKept === false) return;
    this.#findings.set(rule, isKept ? { rule, isKept } : { rule, isKept, expected, seen });
  }

  /** A live token. */
  mint(change: LooseClaims = {}, pair: SigningPair = this.pair): string {
    const tenant = this.tenant === undefined ? {} : { tid: this.tenant };
    return signToken(pair, { ...this.claims(), ...tenant, ...change });
  }

  /** Claims of a live token. */
  claims(): LooseClaims {
    const { issuer, audience } = this.parts;
    return usualClaims({ issuer, audience, nowSeconds: Math.floor(Date.now() / 1000) });
  }

  ask(token?: string): Promise<Asked> {
    return this.parts.api.ask(token);
  }

  /** The service is honest again; waits until the guard accepts a live token and holds a poll. */
  async settle(): Promise<void> {
    const { service, parts } = this;
    service.refusesRegistration = undefined;
    service.clockAheadMs = 0;
    service.play(service.honest);
    let last = 0;
    for (const deadline = performance.now() + settleMsMax; performance.now() < deadline; await delay(stepMs)) {
      const { isAccepted, status } = await this.ask(this.mint());
      last = status;
      const { lastPoll, leaseEndMs } = service;
      const isRegistered = lastPoll !== undefined && service.isCounted(lastPoll);
      // A guard that accepts without a lease must have one all the same, so that its end can be tried.
      if (isAccepted && isRegistered && leaseEndMs > performance.now()) return;
      if (!parts.api.isRunning) throw new UnsettledError('the process of the API has ended');
    }
    throw new UnsettledError(
      `after ${settleMsMax / 1000} s of honest answers a live token was answered ${last === 0 ? 'nothing' : last}`,
    );
  }

  /** As {@link Trial.ask}; on a busy machine the guard may not be current for a moment, which is no fault. */
  async askWhileCurrent(token: string): Promise<Asked> {
    const asked = await this.ask(token);
    if (asked.status !== 503) return asked;
    await this.settle();
    return this.ask(token);
  }

  /** The next poll that counts. */
  counted(what = 'poll of a registered guard'): Promise<HeldPoll> {
    return this.service.nextPoll(what, askMsMax, (poll) => this.service.isCounted(poll));
  }

  /**
   * Asks with a live token again and again until that time, monotonic milliseconds.
   * @returns the requests that were sent after `fromMs`
   */
  async series(fromMs: number, untilMs: number): Promise<readonly Asked[]> {
    const asked: Asked[] = [];
    const token = this.mint();
    while (performance.now() < untilMs) {
      const answer = await this.ask(token);
      if (answer.sentMs > fromMs) asked.push(answer);
      await delay(stepMs);
    }
    return asked;
  }

  /** Judges that nothing was accepted after the last lease has ended, until `afterMs` later. */
  async expectLeaseToEnd(rule: RuleName, how: string, afterMs = 250): Promise<readonly Asked[]> {
    const endMs = this.service.leaseEndMs;
    const asked = await this.series(endMs, endMs + afterMs);
    this.expectNone(rule, asked, `nothing is accepted once the last granted lease is over, ${how}`, endMs);
    return asked;
  }

  /** Judges that none of these requests was accepted. */
  expectNone(rule: RuleName, asked: readonly Asked[], expected: string, sinceMs: number): void {
    const accepted = asked.find(({ isAccepted }) => isAccepted);
    const seen = `accepted with ${accepted?.status}, ${Math.round((accepted?.sentMs ?? 0) - sinceMs)} ms after it`;
    this.judge(rule, accepted === undefined, expected, seen);
  }
}
