/**
 * The journal: the durable list of revocations. One entry names one thing that is no longer accepted.
 * @module
 */
import type { AccountId, JournalId, KeyId, SessionId, TenantId, TokenId } from './ids.ts';

/** What an entry revokes. Epoch kinds deny every token whose own epoch is lower: counters, so no clock decides. */
export type Revocation =
  | { readonly kind: 'token'; readonly key: TokenId }
  | { readonly kind: 'session'; readonly key: SessionId }
  | { readonly kind: 'account'; readonly key: AccountId; readonly epoch: number }
  | { readonly kind: 'tenant'; readonly key: TenantId; readonly epoch: number }
  | { readonly kind: 'key'; readonly key: KeyId };

/** A revocation as the journal holds it. */
export type JournalEntry = Revocation & {
  readonly id: JournalId;
  /** Milliseconds since 1970; from then on every token it names has expired on any clock. `null`: kept for ever (killed keys). */
  readonly keepUntilMs: number | null;
};

/** Largest difference between any two wall clocks of a deployment that expiry rules allow for. */
export const clockSkewSeconds = 60;
/** How long after its `exp` a verifier may still accept a token. Ours accept none; guards with poor clocks may, up to this. */
export const leewaySecondsMax = 60;
/** Longest time a journal write may take between reading the clock and being durable. */
export const writeDeadlineSeconds = 60;

/**
 * When an entry may be forgotten: after the longest-lived token it can name has expired on every clock.
 * @param nowMs wall clock of the database when the entry is written, milliseconds since 1970
 * @param tokenSecondsMax longest access token lifetime this deployment has ever used, seconds
 */
export const keepUntilMs = (nowMs: number, tokenSecondsMax: number): number =>
  nowMs + (tokenSecondsMax + leewaySecondsMax + clockSkewSeconds + writeDeadlineSeconds) * 1000;
