/**
 * Use case: may this token be accepted now? This is the hot path: synchronous, without a store, and
 * no verdict is remembered.
 * @module
 */
import type { JournalReader } from '@catalytic/guard/journal-reader';
import type { SignatureChecks, SignedToken } from '@catalytic/guard/signature-checks';
import { type Currency, claimRefusal, type Expectation, refusal } from '@catalytic/guard/verdict';
import type { View } from '@catalytic/guard/view';
import { CatalyticError, type ErrorCode } from '@catalytic/protocol/errors';
import type { KeyRing } from '../signing-keys/key-ring.ts';

/** What this use case works with. */
export interface CheckAccessTokenParts {
  readonly signatureChecks: SignatureChecks;
  readonly keys: KeyRing;
  readonly view: View;
  readonly currency: Currency;
  readonly expectation: Expectation;
  /** Wall clock, milliseconds since 1970; read for each verdict. */
  readonly nowMs: () => number;
}

/**
 * Judges a token.
 * @returns the token when it is accepted, else the code of the refusal. After
 *   `revocation_state_unavailable` the caller may ask again once the journal has been read
 */
export const checkAccessToken = (parts: CheckAccessTokenParts, token: string): SignedToken | ErrorCode => {
  const signed = parts.signatureChecks.check(token);
  // A process that was paused may not have loaded the key yet, so it cannot know that there is
  // none.
  if (signed === 'token_key_unknown' && !parts.currency.isCurrent()) return 'revocation_state_unavailable';
  return typeof signed === 'string' ? signed : judge(parts, signed);
};

/** What judges, and can wait until this process is current. */
export interface PatientCheckParts extends CheckAccessTokenParts {
  readonly currency: Pick<JournalReader, 'isCurrent' | 'untilCurrent'>;
}

/**
 * How long a request waits until a process that is not current has become current again,
 * milliseconds.
 */
export const currencyWaitMs = 250;

/**
 * Judges a token. A process that was paused or starved for a moment first reads the journal once,
 * shared by all that wait. Returns a promise only then.
 * @returns as {@link checkAccessToken}
 */
export const checkOnceCurrent = (
  parts: PatientCheckParts,
  token: string,
): SignedToken | ErrorCode | Promise<SignedToken | ErrorCode> => {
  const checked = checkAccessToken(parts, token);
  if (checked !== 'revocation_state_unavailable') return checked;
  return parts.currency.untilCurrent(currencyWaitMs).then(() => checkAccessToken(parts, token));
};

/**
 * Judges a token whose signature this process has checked before.
 * @returns the token when it is accepted, else `undefined`: then ask {@link checkAccessToken},
 *   which checks unknown tokens and gives reasons
 */
export const acceptRemembered = (parts: CheckAccessTokenParts, token: string): SignedToken | undefined => {
  const signed = parts.signatureChecks.remembered(token);
  return signed !== undefined && typeof judge(parts, signed) !== 'string' ? signed : undefined;
};

const judge = (parts: CheckAccessTokenParts, signed: SignedToken): SignedToken | ErrorCode => {
  if (!parts.keys.isAlive(signed.key)) return 'token_key_unknown';
  return refusal(signed, parts.view, parts.currency, parts.expectation, parts.nowMs() / 1000) ?? signed;
};

/**
 * Judges a token for signing out: a genuine signature is enough. A client that repeats a logout
 * after a lost answer holds a revoked token and must get the same promise again. A client whose
 * token was dated by a clock that was ahead must be able to end it.
 * @param age `of any age` also takes an expired token, even one whose key has retired since: a
 *   person who comes back after a week signs out like everybody else. Use it only for what ends no
 *   more than the token's own session, because expired tokens are guarded less carefully
 * @returns the token when it is genuine, else the code `token_*` of the refusal; `token_key_unknown`
 *   also for a key that was killed, because whoever stole it can sign any token
 */
export const findGenuine = (
  parts: CheckAccessTokenParts,
  token: string,
  age: 'unexpired' | 'of any age' = 'unexpired',
): SignedToken | ErrorCode => {
  const signed = parts.signatureChecks.check(token);
  if (typeof signed === 'string') return signed;
  const isOldKey = age === 'unexpired' && !parts.keys.isAlive(signed.key);
  if (isOldKey || parts.view.isKeyRevoked(signed.key.kid)) return 'token_key_unknown';
  const code = claimRefusal(signed.claims, parts.expectation, parts.nowMs() / 1000);
  if (code === undefined || code === 'token_not_yet_valid') return signed;
  return code === 'token_expired' && age === 'of any age' ? signed : code;
};

/** The genuine token, as {@link findGenuine} judges it. @throws {CatalyticError} `token_*` */
export const genuineToken = (
  parts: CheckAccessTokenParts,
  token: string,
  age: 'unexpired' | 'of any age' = 'unexpired',
): SignedToken => {
  const found = findGenuine(parts, token, age);
  if (typeof found === 'string') throw new CatalyticError(found);
  return found;
};
