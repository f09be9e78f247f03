/**
 * Modes `strict` and `follow`: this process reaches the verdicts by itself, from the revocations
 * that it follows.
 * @module
 */

import type { AccessTokenClaims } from '@catalytic/protocol/claims';
import { type AskParts, ask } from './ask.ts';
import { acceptedByService } from './ask-verdicts.ts';
import { systemClocks } from './clocks.ts';
import { Follower } from './follower.ts';
import { PublishedKeys } from './published-keys.ts';
import { isTokenCode, type RefusalCode } from './refusals.ts';
import type { Reporter } from './reporter.ts';
import { RevocationsClient } from './revocations-client.ts';
import { SessionSignals } from './session-signals.ts';
import { SignatureChecks, type SignedToken } from './signature-checks.ts';
import { type Currency, type Expectation, refusal } from './verdict.ts';
import type { Accepted, Verdicts, WhenStale } from './verdicts.ts';
import { View } from './view.ts';

/** What local verdicts work with. */
export interface LocalVerdictsParts extends Omit<AskParts, 'onProblem'> {
  readonly isStrict: boolean;
  readonly followsIfRefused: boolean;
  readonly expectation: Expectation;
  /** The guard key. */
  readonly key: string;
  readonly name: string;
  readonly reporter: Reporter;
  /** Called for each token that is accepted although its sign-out would not be known. */
  readonly onStaleAllowed: () => void;
}

/** Longest time that a request waits for the guard to be current, milliseconds. */
const waitMsMax = 250;

const always: Currency = { isCurrent: () => true };

/** @param tenant the only one whose tokens a guard may accept; `null`: all; `undefined`: none is known yet */
const isOfTenant = ({ tid }: AccessTokenClaims, tenant: string | null | undefined): boolean =>
  tenant === null || tid === tenant;

/** Follows the revocations, and judges by them. */
class LocalVerdicts implements Verdicts {
  readonly #parts: LocalVerdictsParts;
  readonly #keys: PublishedKeys;
  readonly #follower: Follower;
  readonly #checks: SignatureChecks;
  readonly #signals: SessionSignals;
  /** Why the last poll came to nothing. */
  #problem = 'no poll was answered yet';
  /** Whether it has had its time to become current. */
  #isStarted = false;
  #stopped: Promise<void> | undefined;

  constructor(parts: LocalVerdictsParts) {
    this.#parts = parts;
    const { url, key, timeoutMs, isStrict, followsIfRefused, name, expectation, reporter } = parts;
    const client = new RevocationsClient({ url, key, timeoutMs, clocks: systemClocks });
    this.#keys = new PublishedKeys({ fetch: () => client.keys(), monoMs: systemClocks.monoMs });
    this.#follower = new Follower({
      ...{ client, keys: this.#keys, clocks: systemClocks },
      ...{ isStrict, followsIfRefused, name, audience: expectation.audience },
      ...{ newView: () => new View(), processId: () => process.pid, random: Math.random },
      onEntries: (entries) => this.#signals.notice(entries),
      onFailure: (reason) => {
        this.#problem = `${url}: ${reason}`;
      },
      onStale: () => this.#report(),
      onRenewed: () => reporter.clear(),
    });
    this.#checks = new SignatureChecks(this.#keys.find);
    this.#signals = new SessionSignals({
      isRevoked: ({ claims, key: { kid } }) => this.#follower.view.isRevoked(claims, kid),
      wallMs: systemClocks.wallMs,
    });
  }

  /** Begins to follow, and gives it time to become current. */
  async start(): Promise<void> {
    this.#follower.start();
    await this.#follower.untilCurrent(this.#parts.timeoutMs);
    this.#isStarted = true;
    this.#report();
  }

  now(token: string): Accepted | RefusalCode {
    return this.#judge(token, this.#follower);
  }

  async of(token: string, whenStale: WhenStale): Promise<Accepted | RefusalCode> {
    const verdict = this.now(token);
    if (verdict !== 'verdict_unavailable' || this.#stopped !== undefined) return verdict;
    if (whenStale === 'deny') {
      await this.#follower.untilCurrent(waitMsMax);
      return this.now(token);
    }
    return whenStale === 'ask' ? this.#ask(token) : this.#allow(token);
  }

  get knowledge(): Verdicts['knowledge'] {
    const { view, staleMs, remainingMs, isRegistered: registered } = this.#follower;
    return { current: this.#isCurrent(), staleMs, remainingMs, entries: view.size, registered };
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#follower.stop();
    this.#signals.stop();
    return this.#stopped;
  }

  /** Lease and look-up in one turn of the event loop: no revocation can arrive in between. */
  #judge(token: string, currency: Currency): Accepted | RefusalCode {
    const signed = this.#checks.check(token);
    if (signed === 'token_key_unknown' || (typeof signed !== 'string' && !this.#keys.isAlive(signed.key)))
      // It may be a key that this process does not know yet.
      return currency.isCurrent() && this.#keys.isUpToDate ? 'token_key_unknown' : 'verdict_unavailable';
    if (typeof signed === 'string') return isTokenCode(signed) ? signed : 'verdict_unavailable';
    const { view, tenant } = this.#follower;
    const code = refusal(signed, view, currency, this.#parts.expectation, systemClocks.wallMs() / 1000);
    if (code !== undefined) return isTokenCode(code) ? code : 'verdict_unavailable';
    // A tenant's guard is not sent the revocations of others.
    return isOfTenant(signed.claims, tenant) ? this.#accept(signed) : 'tenant_wrong';
  }

  #accept(signed: SignedToken): Accepted {
    return { claims: signed.claims, signal: () => this.#signals.signalOf(signed) };
  }

  #isCurrent(): boolean {
    return this.#keys.isLoaded && this.#follower.isCurrent();
  }

  /** Each request asks by itself: a shared answer could be older than the sign-out. */
  async #ask(token: string): Promise<Accepted | RefusalCode> {
    const onProblem = (reason: string): void => this.#parts.reporter.report(reason);
    const claims = await ask({ ...this.#parts, onProblem }, token);
    if (this.#stopped !== undefined) return 'verdict_unavailable';
    if (typeof claims === 'string') return claims;
    const { tenant } = this.#follower;
    // Without a page it is not known whose guard this is.
    if (tenant === undefined) return 'verdict_unavailable';
    if (!isOfTenant(claims, tenant)) return 'tenant_wrong';
    const signed = this.#checks.check(token);
    return typeof signed === 'string' ? acceptedByService(claims) : this.#accept(signed);
  }

  #allow(token: string): Accepted | RefusalCode {
    const verdict = this.#judge(token, always);
    if (typeof verdict !== 'string') this.#parts.onStaleAllowed();
    return verdict;
  }

  #report(): void {
    if (this.#isStarted && this.#stopped === undefined && !this.#isCurrent())
      this.#parts.reporter.report(this.#problem);
  }
}

/** Starts to follow. Resolves when it is current, or has had `timeoutMs` to become it. */
export const localVerdicts = async (parts: LocalVerdictsParts): Promise<Verdicts> => {
  const verdicts = new LocalVerdicts(parts);
  await verdicts.start();
  return verdicts;
};
