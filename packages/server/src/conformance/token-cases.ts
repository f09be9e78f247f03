/**
 * Tokens with the verdict that each must get, by everything but revocations. The vectors hold them,
 * and `catalytic guard-conformance` sends them.
 * @module
 */
import { createHmac } from 'node:crypto';
import { p256Order } from '@catalytic/guard/algorithms';
import type { TokenCode } from '@catalytic/guard/refusals';
import { type LooseClaims, type SigningPair, segmentOf, signToken, usualClaims } from './signed-tokens.ts';

/** What tokens are made with. */
export interface TokenCaseParts {
  readonly issuer: string;
  readonly audience: string;
  /** Wall clock of the guard, seconds since 1970. */
  readonly nowSeconds: number;
  /** A published ES256 key. */
  readonly pair: SigningPair;
  /** A key that is not published. */
  readonly stranger: SigningPair;
  /** @default random */
  readonly newId?: () => string;
}

/** A token, and its verdict. */
export interface TokenCase {
  readonly name: string;
  readonly verdict: 'accepted' | TokenCode;
  readonly make: (parts: TokenCaseParts) => string;
}

const claimsOf = ({ newId, ...place }: TokenCaseParts, change: LooseClaims = {}): LooseClaims => ({
  ...usualClaims(place, newId),
  ...change,
});

const usual = (parts: TokenCaseParts, change: LooseClaims = {}): string =>
  signToken(parts.pair, claimsOf(parts, change));

/** A token whose header is another one, and whose signature fits. */
const withHeader = (parts: TokenCaseParts, header: object): string =>
  signToken(parts.pair, claimsOf(parts), segmentOf(header));

const split = (token: string): [string, string, string] => token.split('.') as [string, string, string];

/** The same signature in its second spelling (r, n - s). */
const withHighS = (token: string): string => {
  const [header, payload, signature] = split(token);
  const bytes = Buffer.from(signature, 'base64url');
  const s = p256Order - BigInt(`0x${bytes.toString('hex', 32)}`);
  bytes.write(s.toString(16).padStart(64, '0'), 32, 'hex');
  return `${header}.${payload}.${bytes.toString('base64url')}`;
};

/** The same bytes in another spelling: unused bits of the last character are set. */
const withUnusedBits = (token: string): string => {
  const last = { A: 'B', Q: 'R', g: 'h', w: 'x' }[token.slice(-1)];
  return `${token.slice(0, -1)}${last}`;
};

const withHmac = (parts: TokenCaseParts): string => {
  const { kid, published } = parts.pair;
  const signed = `${segmentOf({ alg: 'HS256', typ: 'at+jwt', kid })}.${segmentOf(claimsOf(parts))}`;
  return `${signed}.${createHmac('sha256', JSON.stringify(published)).update(signed).digest('base64url')}`;
};

const without = (claims: LooseClaims, name: string): LooseClaims =>
  Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));

/** Every claim without which a token is malformed. */
const neededClaims = [
  ...['iss', 'sub', 'aud', 'jti', 'sid', 'tid', 'client_id', 'scope'],
  ...['iat', 'exp', 'auth_time', 'aep', 'tep', 'roles', 'amr'],
];

const formCases: readonly TokenCase[] = [
  { name: 'usual', verdict: 'accepted', make: (parts) => usual(parts) },
  { name: 'no segments', verdict: 'token_malformed', make: () => 'token' },
  { name: 'fourth segment', verdict: 'token_malformed', make: (parts) => `${usual(parts)}.AAAA` },
  { name: 'padded signature', verdict: 'token_malformed', make: (parts) => `${usual(parts)}==` },
  { name: 'unused bits set', verdict: 'token_malformed', make: (parts) => withUnusedBits(usual(parts)) },
  {
    name: 'other alphabet',
    verdict: 'token_malformed',
    make: (parts) => usual(parts).replace(/\.[^.]{4}([^.]*)$/, '.A+/A$1'),
  },
  {
    name: 'longer than 4,096 characters',
    verdict: 'token_malformed',
    make: (parts) => usual(parts, { scope: 'x'.repeat(4096) }),
  },
  { name: 'payload that is no object', verdict: 'token_malformed', make: ({ pair }) => signToken(pair, '[]') },
];

const headerCases: readonly TokenCase[] = [
  {
    name: 'type JWT',
    verdict: 'token_type_wrong',
    make: (parts) => withHeader(parts, { alg: 'ES256', typ: 'JWT', kid: parts.pair.kid }),
  },
  {
    name: 'members of the header in another order',
    verdict: 'token_malformed',
    make: (parts) => withHeader(parts, { typ: 'at+jwt', alg: 'ES256', kid: parts.pair.kid }),
  },
  {
    name: 'further member of the header',
    verdict: 'token_malformed',
    make: (parts) => withHeader(parts, { alg: 'ES256', typ: 'at+jwt', kid: parts.pair.kid, crit: ['exp'] }),
  },
  {
    name: 'algorithm none',
    verdict: 'token_algorithm_refused',
    make: (parts) =>
      `${segmentOf({ alg: 'none', typ: 'at+jwt', kid: parts.pair.kid })}.${segmentOf(claimsOf(parts))}.AAAA`,
  },
  { name: 'HMAC with the published key', verdict: 'token_algorithm_refused', make: withHmac },
  {
    name: 'algorithm of another key',
    verdict: 'token_algorithm_refused',
    make: (parts) => withHeader(parts, { alg: 'EdDSA', typ: 'at+jwt', kid: parts.pair.kid }),
  },
  {
    name: 'unknown key',
    verdict: 'token_key_unknown',
    make: (parts) => signToken(parts.stranger, claimsOf(parts)),
  },
  {
    name: 'no key named',
    verdict: 'token_key_unknown',
    make: (parts) => withHeader(parts, { alg: 'ES256', typ: 'at+jwt' }),
  },
];

const signatureCases: readonly TokenCase[] = [
  {
    name: 'signed with another key',
    verdict: 'token_signature_invalid',
    make: (parts) => signToken({ ...parts.pair, privateKey: parts.stranger.privateKey }, claimsOf(parts)),
  },
  {
    name: 'payload of another token',
    verdict: 'token_signature_invalid',
    make: (parts) => {
      const [header, , signature] = split(usual(parts));
      return `${header}.${segmentOf(claimsOf(parts, { roles: ['admin'] }))}.${signature}`;
    },
  },
  { name: 'upper s', verdict: 'token_signature_invalid', make: (parts) => withHighS(usual(parts)) },
];

const claimCases: readonly TokenCase[] = [
  ...neededClaims.map(
    (name): TokenCase => ({
      name: `without ${name}`,
      verdict: 'token_malformed',
      make: (parts) => signToken(parts.pair, without(claimsOf(parts), name)),
    }),
  ),
  { name: 'without nbf', verdict: 'accepted', make: (parts) => signToken(parts.pair, without(claimsOf(parts), 'nbf')) },
  { name: 'further claim', verdict: 'accepted', make: (parts) => usual(parts, { colour: 'blue' }) },
  { name: 'audience in a list', verdict: 'token_malformed', make: (parts) => usual(parts, { aud: [parts.audience] }) },
  { name: 'epoch as text', verdict: 'token_malformed', make: (parts) => usual(parts, { aep: '1' }) },
  {
    name: 'expiry with a fraction',
    verdict: 'token_malformed',
    make: (parts) => usual(parts, { exp: parts.nowSeconds + 900.5 }),
  },
  { name: 'role that is no text', verdict: 'token_malformed', make: (parts) => usual(parts, { roles: [1] }) },
  {
    name: 'another issuer',
    verdict: 'token_issuer_wrong',
    make: (parts) => usual(parts, { iss: `${parts.issuer}/` }),
  },
  {
    name: 'another audience',
    verdict: 'token_audience_wrong',
    make: (parts) => usual(parts, { aud: `${parts.audience}/other` }),
  },
];

const timeCases: readonly TokenCase[] = [
  { name: 'expired', verdict: 'token_expired', make: (parts) => usual(parts, { exp: parts.nowSeconds - 1 }) },
  { name: 'expires now', verdict: 'token_expired', make: (parts) => usual(parts, { exp: parts.nowSeconds }) },
  {
    name: 'issued half a minute ahead',
    verdict: 'accepted',
    make: (parts) => usual(parts, { iat: parts.nowSeconds + 30, nbf: parts.nowSeconds + 30 }),
  },
  {
    name: 'issued two minutes ahead',
    verdict: 'token_not_yet_valid',
    make: (parts) => usual(parts, { iat: parts.nowSeconds + 120 }),
  },
  {
    name: 'begins in two minutes',
    verdict: 'token_not_yet_valid',
    make: (parts) => usual(parts, { nbf: parts.nowSeconds + 120 }),
  },
];

/** All cases. */
export const tokenCases: readonly TokenCase[] = [
  ...formCases,
  ...headerCases,
  ...signatureCases,
  ...claimCases,
  ...timeCases,
];
