/**
 * From a signed payload to claims: the shape that every verdict relies on (RFC 9068 section 2.2,
 * and our own claims).
 * @module
 */
import type { AccessTokenClaims } from '@catalytic/protocol/claims';

type NameOf<Type> = {
  [Name in keyof AccessTokenClaims]-?: AccessTokenClaims[Name] extends Type ? Name : never;
}[keyof AccessTokenClaims];

const texts: readonly NameOf<string>[] = ['iss', 'sub', 'aud', 'jti', 'sid', 'tid', 'client_id', 'scope'];
const wholeNumbers: readonly NameOf<number>[] = ['iat', 'exp', 'auth_time', 'aep', 'tep'];
const lists: readonly NameOf<readonly string[]>[] = ['roles', 'amr'];

/**
 * Checks the shape once, when a signature is checked. A comparison with a missing claim is false,
 * so a token without `aep` could not be signed out everywhere. A token need not have `nbf`: then it
 * begins at `iat`.
 * @returns `undefined` when a claim is missing or of another type
 */
export const readClaims = (payload: Readonly<Record<string, unknown>>): AccessTokenClaims | undefined => {
  const isWhole =
    texts.every((name) => typeof payload[name] === 'string') &&
    wholeNumbers.every((name) => Number.isSafeInteger(payload[name])) &&
    (payload['nbf'] === undefined || Number.isSafeInteger(payload['nbf'])) &&
    lists.every((name) => {
      const value = payload[name];
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
    });
  return isWhole ? (payload as unknown as AccessTokenClaims) : undefined;
};
