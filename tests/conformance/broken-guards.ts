/**
 * Our own guard with one fault each, and the rule that each fault breaks.
 * @module
 */
import type { RuleName } from '../../packages/server/src/conformance/rules.ts';

/** A fault: text of a file of the guard, and what stands there instead. */
export interface BrokenGuard {
  /** The rule that it breaks. */
  readonly rule: RuleName;
  /** The file, in `packages/guard/src`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const follower = 'follower.ts';

/** The faults. */
export const brokenGuards: readonly BrokenGuard[] = [
  {
    rule: 'token-checked',
    file: 'read-claims.ts',
    from: 'const isWhole =',
    to: 'const isWhole = true ||',
  },
  {
    rule: 'challenge',
    file: 'refusals.ts',
    from: "error: challenge === 'none' ? undefined : challenge",
    to: 'error: undefined',
  },
  {
    rule: 'revoked-once-acknowledged',
    file: follower,
    from: 'this.#view.apply(page.entries);',
    to: 'setTimeout(() => this.#view.apply(page.entries), 200);',
  },
  {
    rule: 'asked-again-at-once',
    file: follower,
    from: 'return { ...atOnce(true), isNewConnection: page.lease_ms < this.#leaseMs / 2 };',
    to: 'return { ...atOnce(true), delayMs: 1300 };',
  },
  {
    rule: 'pages-remove-nothing',
    file: follower,
    from: 'this.#view.apply(page.entries);',
    to: 'if (page.entries.length > 0) this.#view = this.#parts.newView(); this.#view.apply(page.entries);',
  },
  { rule: 'epochs-never-fall', file: 'view.ts', from: 'epoch: Math.max(epoch, known?.epoch ?? 0),', to: 'epoch,' },
  {
    rule: 'kept-long-enough',
    file: follower,
    from: 'this.#view.sweep(this.#forgetMs());',
    to: 'this.#view.sweep(Date.now());',
  },
  {
    rule: 'keys-followed',
    file: 'published-keys.ts',
    from: 'if (this.isUpToDate) return;',
    to: 'if (this.isLoaded) return;',
  },
  {
    rule: 'lease-ends',
    file: follower,
    from: 'this.#lease.renew(sent.monoMs, sent.wallMs, page.lease_ms);',
    to: 'this.#lease.renew(sent.monoMs, sent.wallMs, 2 * page.lease_ms + 1000);',
  },
  {
    rule: 'lease-counts-from-sending',
    file: follower,
    from: 'this.#lease.renew(sent.monoMs, sent.wallMs, page.lease_ms);',
    to: 'this.#lease.renew(clocks.monoMs(), clocks.wallMs(), page.lease_ms);',
  },
  {
    rule: 'lease-only-lengthens',
    file: 'lease.ts',
    from: 'if (isEarlier && this.isCurrent(sentMonoMs, sentWallMs)) return;',
    to: '',
  },
  {
    rule: 'unavailable-is-503',
    file: 'refusals.ts',
    from: "status: 503,\n    title: 'It cannot be known",
    to: "status: 401,\n    title: 'It cannot be known",
  },
  {
    rule: 'unknown-key-while-stale',
    file: 'local-verdicts.ts',
    from: "return currency.isCurrent() && this.#keys.isUpToDate ? 'token_key_unknown' : 'verdict_unavailable';",
    to: "return 'token_key_unknown';",
  },
  { rule: 'silence-given-up', file: follower, from: 'const answerMsMax = 500;', to: 'const answerMsMax = 500_000;' },
  {
    rule: 'new-connection-after-failure',
    file: follower,
    from: 'return { delayMs, roundMsMin, isNewConnection: true, mayBeHeld: false };',
    to: 'return { delayMs, roundMsMin, isNewConnection: false, mayBeHeld: false };',
  },
  {
    rule: 'answer-of-another-request',
    file: follower,
    from: 'if (page.nonce !== sent.nonce || page.guard !== (sent.guard ?? null))',
    to: 'if (page.nonce === null)',
  },
  {
    rule: 'unknown-kind-not-taken',
    file: follower,
    from: 'if (problem !== undefined) return',
    to: 'if (problem === null) return',
  },
  {
    rule: 'truncated-page-not-taken',
    file: 'revocations-client.ts',
    from: "return JSON.parse(bytes.toString('utf8'));",
    to: "return JSON.parse(bytes.toString('utf8').replace(/\\]$/, ']}'));",
  },
  {
    rule: 'registered-before-accepting',
    file: follower,
    from: 'return guard !== undefined || !this.#parts.isStrict ||',
    to: 'return guard !== null ||',
  },
  {
    rule: 'not-live-keeps-lease',
    file: follower,
    from: 'this.#id = undefined;\n      this.#parts.onFailure(saidBy(reply));',
    to: 'this.#id = undefined; this.#lease.end();',
  },
  {
    rule: 'former-left-after-renewal',
    file: follower,
    from: 'this.#id = guard;',
    to: 'this.#id = guard; void this.#leaveFormer();',
  },
  {
    rule: 'other-history-starts-over',
    file: follower,
    from: 'const isContinued = page.history === this.#history &&',
    to: 'const isContinued =',
  },
  {
    rule: 'part-grants-nothing',
    file: follower,
    from: 'if (page.more) return atOnce(false);',
    to: 'if (page.more) { this.#lease.renew(sent.monoMs, sent.wallMs, this.#leaseMs); return atOnce(false); }',
  },
  {
    rule: 'tenant-kept',
    file: 'local-verdicts.ts',
    from: 'tenant === null || tid === tenant;',
    to: "tenant !== 'x' || tid === '';",
  },
  {
    rule: 'wrong-clock-accepts-nothing',
    file: follower,
    from: 'if (Math.abs(aheadMs) > clockSkewMs) {',
    to: 'if (Math.abs(aheadMs) > 1e9) {',
  },
  {
    rule: 'pause-outlives-no-lease',
    file: follower,
    from: 'this.#lease.renew(sent.monoMs, sent.wallMs, page.lease_ms);',
    to: 'this.#lease.renew(clocks.monoMs(), clocks.wallMs(), page.lease_ms);',
  },
  {
    rule: 'request-form',
    file: follower,
    from: '...{ nonce: randomUUID(), guard: this.#id },',
    to: "...{ nonce: 'n', guard: this.#id },",
  },
  {
    rule: 'left-on-stop',
    file: follower,
    from: 'async stop(): Promise<void> {',
    to: 'async stop(): Promise<void> { await this.#leave();',
  },
];
