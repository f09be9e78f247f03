/**
 * Rules for a new password (NIST SP 800-63B-4 section 3.1.1.2): length and a blocklist, no
 * composition rules, no periodic change.
 * @module
 */
import { CatalyticError, type ErrorCode } from '@catalytic/protocol/errors';
import { Secret } from '../secrets/secret.ts';
import { blockedReason } from './blocklist.ts';

/** Fewest code points where the password is the only factor. */
export const passwordCodePointsMin = 15;
/** Most code points; NIST asks for at least 64. */
export const passwordCodePointsMax = 256;

/**
 * The forms of a password that a person typed, each to be checked against the stored hash. The first
 * is NFC, which this service hashes. The second, if it differs, is the text as it was typed, which
 * other systems have hashed.
 */
export type PasswordForms = readonly [Secret<string>, ...Secret<string>[]];

/**
 * The form in which the service hashes passwords: NFC, so that the same password from two keyboards
 * is equal. Nothing is trimmed or folded.
 * @throws {CatalyticError} `body_invalid` for half a surrogate pair: it has no UTF-8 form, so two
 *   passwords would become equal
 */
export const preparePassword = (password: string): Secret<string> => {
  if (!password.isWellFormed())
    throw new CatalyticError('body_invalid', {
      fields: [{ field: '/password', message: 'is not valid Unicode text' }],
    });
  return new Secret(password.normalize('NFC'));
};

/** The forms of a typed password. @throws {CatalyticError} like {@link preparePassword} */
export const passwordForms = (password: string): PasswordForms => {
  const composed = preparePassword(password);
  return composed.reveal() === password ? [composed] : [composed, new Secret(password)];
};

/** Every code that {@link passwordRefusal} may give. */
export const passwordRefusals = [
  'password_too_short',
  'password_too_long',
  'password_blocked',
] as const satisfies readonly ErrorCode[];

/**
 * Judges a new password.
 * @returns `undefined` when it is allowed, else the code and a reason that says what to choose
 *   instead
 */
export const passwordRefusal = (
  password: Secret<string>,
  email: string,
): { readonly code: (typeof passwordRefusals)[number]; readonly detail: string } | undefined => {
  const text = password.reveal();
  const codePoints = [...text].length;
  if (codePoints < passwordCodePointsMin)
    return {
      code: 'password_too_short',
      detail: `A password needs at least ${passwordCodePointsMin} characters: several unrelated words are easy to remember`,
    };
  if (codePoints > passwordCodePointsMax)
    return { code: 'password_too_long', detail: `A password may have at most ${passwordCodePointsMax} characters` };
  const reason = blockedReason(text, email);
  return reason === undefined
    ? undefined
    : { code: 'password_blocked', detail: `This password ${reason}: choose several unrelated words instead` };
};

/**
 * Accepts a new password.
 * @throws {CatalyticError} one of {@link passwordRefusals}, with its reason, when it is not allowed
 */
export const admitPassword = (password: Secret<string>, email: string): void => {
  const refusal = passwordRefusal(password, email);
  if (refusal !== undefined) throw new CatalyticError(refusal.code, { detail: refusal.detail });
};
