/**
 * The journal: the durable list of revocations. One entry names one thing that is no longer
 * accepted.
 * @module
 */
import { createHash } from 'node:crypto';
import type { AccountId, JournalId, KeyId, SessionId, TenantId, TokenId } from './ids.ts';

/**
 * What an entry revokes. An epoch kind denies every token with a lower epoch. Epochs are counters,
 * so no clock decides.
 */
export type Revocation =
  | { readonly kind: 'token'; readonly key: TokenId }
  | { readonly kind: 'session'; readonly key: SessionId }
  | {
      readonly kind: 'account';
      readonly key: AccountId;
      readonly epoch: number;
      /**
       * The sessions of the account go on under the new epoch, and only its access tokens are
       * outdated: its rights have changed. Absent, as in entries of earlier versions: they have ended.
       */
      readonly keepsSessions?: true;
    }
  | { readonly kind: 'tenant'; readonly key: TenantId; readonly epoch: number }
  | { readonly kind: 'key'; readonly key: KeyId };

/** A revocation as the journal holds it. */
export type JournalEntry = Revocation & {
  readonly id: JournalId;
  /**
   * Milliseconds since 1970; from then on every token it names has expired on any clock. `null`:
   * kept for ever (killed keys).
   */
  readonly keepUntilMs: number | null;
};

/**
 * The id of the entry that revokes something. Every process that writes the entry chooses the same
 * id, so a repeated revocation and an entry that is written back add no second row. The entry of a
 * session or a token has the id of that session or token. Those ids are time-ordered, so entries of
 * about the same age share the pages of an index. The other ids are UUIDs whose bits are a hash
 * (RFC 9562 section 5.8).
 */
export const entryId = (revocation: Revocation): JournalId => {
  const { kind, key } = revocation;
  if (kind === 'session' || kind === 'token') return key as string as JournalId;
  const text = 'epoch' in revocation ? `${kind} ${key} ${revocation.epoch}` : `${kind} ${key}`;
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}` as JournalId;
};

/** Largest difference between any two wall clocks of a deployment that expiry rules allow for. */
export const clockSkewSeconds = 60;
/**
 * Longest time after its `exp` that a verifier may accept a token. The service allows none; guards
 * with poor clocks may allow this much.
 */
export const leewaySecondsMax = 60;
/**
 * How far ahead of the clock the bound of the newest `iat` is raised, milliseconds. So only one
 * sign-in a minute writes it.
 */
export const newestIatAheadMs = 120_000;
/**
 * How far ahead of the clock that bound is at least, milliseconds. A replayed refresh token yields
 * an access token without a write, up to a minute (the longest grace) after the use that it
 * repeats.
 */
export const newestIatAheadMsMin = 60_000;
/** Longest time a journal write may take between reading the clock and being durable. */
export const writeDeadlineSeconds = 60;

/**
 * When an entry may be forgotten: after the longest-lived token it can name has expired on every
 * clock.
 * @param nowMs wall clock of the database when the entry is written, or the newest `iat` that this
 *   deployment has given a token, whichever is later, milliseconds since 1970
 * @param tokenSecondsMax longest access token lifetime this deployment has ever used, seconds
 */
export const keepUntilMs = (nowMs: number, tokenSecondsMax: number): number =>
  nowMs + (tokenSecondsMax + leewaySecondsMax + clockSkewSeconds + writeDeadlineSeconds) * 1000;
