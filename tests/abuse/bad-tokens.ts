/**
 * Tokens that must not be accepted, made by every trick in the book, and the one code each is
 * refused with.
 * @module
 */
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { ErrorCode } from '@catalytic/protocol/errors';
import { decodeSegment, forge, type OpenedKey, segment, twinSignature } from '../harness/forge.ts';

/** A token and its fate. `any`: some refusal with a code. */
export interface BadToken {
  readonly about: string;
  readonly token: string;
  readonly expected: ErrorCode | readonly ErrorCode[];
}

/** Ingredients of the tokens. */
export interface Ingredients {
  /** A good access token of a live session. */
  readonly access: string;
  readonly refreshToken: string;
  readonly key: OpenedKey;
  /** A key that the service has never seen. */
  readonly strangerKey: KeyObject;
}

/** A new key of the kind the service uses. */
export const newStrangerKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const jws = (header: unknown, payload: unknown, makeSignature: (input: Buffer) => Buffer): string => {
  const input = `${segment(header)}.${segment(payload)}`;
  return `${input}.${makeSignature(Buffer.from(input)).toString('base64url')}`;
};
const hmac = (secret: string | Buffer) => (input: Buffer) => createHmac('sha256', secret).update(input).digest();
const nothing = (): Buffer => Buffer.alloc(0);

/** The header says how the token is to be checked: nothing it says may be believed. */
const headerTricks = ({ access, key, strangerKey }: Ingredients): BadToken[] => {
  const claims = decodeSegment(access, 1);
  const header = decodeSegment(access, 0);
  const publicKey = createPublicKey({ key: key.publicJwk, format: 'jwk' });
  const publicJwk = strangerKeyJwk(strangerKey);
  const ownSignature = access.split('.')[2] ?? '';
  const byStranger = (input: Buffer): Buffer => sign('sha256', input, { key: strangerKey, dsaEncoding: 'ieee-p1363' });
  const bySecrets: readonly (readonly [string, string | Buffer])[] = [
    ['PEM of the public key', publicKey.export({ format: 'pem', type: 'spki' })],
    ['PEM without its last line end', publicKey.export({ format: 'pem', type: 'spki' }).toString().trimEnd()],
    ['DER of the public key', publicKey.export({ format: 'der', type: 'spki' })],
    ['JWK of the public key', JSON.stringify(publicKey.export({ format: 'jwk' }))],
    ['published JWK', JSON.stringify(key.publicJwk)],
    ['x coordinate', Buffer.from(key.publicJwk['x'] ?? '', 'base64url')],
    ['key id', key.kid],
    ['empty secret', ''],
  ];
  return [
    ...['none', 'None', 'NONE', 'nOnE', ''].flatMap((alg): BadToken[] => [
      {
        about: `alg "${alg}" without a signature`,
        token: jws({ ...header, alg }, claims, nothing),
        expected: 'token_malformed',
      },
      {
        about: `alg "${alg}" with the old signature`,
        token: `${segment({ ...header, alg })}.${access.split('.')[1]}.${ownSignature}`,
        expected: 'token_algorithm_refused',
      },
    ]),
    ...['HS256', 'HS384', 'HS512'].flatMap((alg) =>
      bySecrets.map(
        ([name, secret]): BadToken => ({
          about: `${alg} keyed with the ${name}`,
          token: jws({ ...header, alg }, claims, hmac(secret)),
          expected: 'token_algorithm_refused',
        }),
      ),
    ),
    ...['ES384', 'RS256', 'PS256', 'Ed25519', 'EdDSA', 'ES256K'].map(
      (alg): BadToken => ({
        about: `alg ${alg} for an ES256 key`,
        token: forge(key, claims, { ...header, alg }),
        expected: 'token_algorithm_refused',
      }),
    ),
    ...[null, 1, true, ['ES256'], { alg: 'ES256' }].map(
      (alg): BadToken => ({
        about: `alg ${JSON.stringify(alg)}`,
        token: forge(key, claims, { ...header, alg }),
        expected: 'token_malformed',
      }),
    ),
    { about: 'no alg', token: forge(key, claims, { typ: header['typ'], kid: key.kid }), expected: 'token_malformed' },
    {
      about: 'a foreign kid',
      token: forge(key, claims, { ...header, kid: 'x'.repeat(43) }),
      expected: 'token_key_unknown',
    },
    { about: 'no kid', token: forge(key, claims, { alg: 'ES256', typ: 'at+jwt' }), expected: 'token_key_unknown' },
    ...[null, 7, [key.kid], '', '../../master.key', "' or 1=1 --", '__proto__', 'constructor'].map(
      (kid): BadToken => ({
        about: `kid ${JSON.stringify(kid)}`,
        token: forge(key, claims, { ...header, kid }),
        expected: 'token_key_unknown',
      }),
    ),
    ...['JWT', 'jwt', 'AT+JWT', 'application/at+jwt', 'dpop+jwt', '', null, ['at+jwt']].map(
      (typ): BadToken => ({
        about: `typ ${JSON.stringify(typ)}`,
        token: forge(key, claims, { ...header, typ }),
        expected: 'token_type_wrong',
      }),
    ),
    { about: 'no typ', token: forge(key, claims, { alg: 'ES256', kid: key.kid }), expected: 'token_type_wrong' },
    // Genuine signatures: the header alone is one that the service never makes.
    ...(
      [
        { jku: 'https://attacker.example/jwks.json' },
        { x5u: 'https://attacker.example/cert.pem' },
        { x5c: ['MIIB'] },
        { jwk: publicJwk },
        { crit: ['exp'] },
        { crit: [] },
        { b64: false, crit: ['b64'] },
        { cty: 'JWT' },
        { zip: 'DEF' },
      ] as const
    ).map(
      (extra): BadToken => ({
        about: `header with ${Object.keys(extra)}`,
        token: forge(key, claims, { ...header, ...extra }),
        expected: 'token_malformed',
      }),
    ),
    {
      about: 'the same header in another order',
      token: forge(key, claims, { kid: key.kid, typ: 'at+jwt', alg: 'ES256' }),
      expected: 'token_malformed',
    },
    {
      about: 'the same header with a space',
      token: forge(key, claims, `{"alg":"ES256", "typ":"at+jwt","kid":"${key.kid}"}`),
      expected: 'token_malformed',
    },
    {
      about: 'a header that names alg twice',
      token: forge(key, claims, `{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"${key.kid}"}`),
      expected: 'token_malformed',
    },
    {
      about: 'a key of the attacker in the header',
      token: jws({ ...header, jwk: publicJwk }, claims, byStranger),
      expected: 'token_malformed',
    },
    {
      about: 'a signature by another key',
      token: jws(header, claims, byStranger),
      expected: 'token_signature_invalid',
    },
    {
      about: 'a signature by another key under its own kid',
      token: jws({ ...header, kid: 'stranger' }, claims, byStranger),
      expected: 'token_key_unknown',
    },
    ...['[]', 'null', '1', '"text"', '{', ''].map(
      (text): BadToken => ({
        about: `header ${text}`,
        token: forge(key, claims, text),
        expected: 'token_malformed',
      }),
    ),
  ];
};

const strangerKeyJwk = (strangerKey: KeyObject): unknown => createPublicKey(strangerKey).export({ format: 'jwk' });

/** The same bytes in other letters. Each must fail: what is one token must have one spelling. */
const otherSpellings = ({ access, key }: Ingredients): BadToken[] => {
  const [header = '', payload = '', signature = ''] = access.split('.');
  const last = signature.at(-1) ?? '';
  // 64 bytes are 86 letters: the last one carries 2 bits that mean something and 4 that do not.
  const unusedBits = [1, 2, 4, 8].map((bit) => alphabet[alphabet.indexOf(last) | bit] ?? '');
  const twin = twinSignature(Buffer.from(signature, 'base64url')).toString('base64url');
  const otherAlphabet = (text: string): string => Buffer.from(text, 'base64url').toString('base64').replace(/=+$/, '');
  const flattened = { payload, protected: header, signature };
  const malformed: readonly (readonly [string, string])[] = [
    ['padding at the end', `${access}==`],
    ['one pad letter', `${access}=`],
    ['padding in the middle', `${header}=.${payload}.${signature}`],
    ['a space inside', `${header}. ${payload}.${signature}`],
    ['a tab inside', `${header}.${payload}\t.${signature}`],
    ['an empty fourth segment', `${access}.`],
    ['a fourth segment', `${access}.AAAA`],
    ['a point first', `.${access}`],
    ['two segments', `${header}.${payload}`],
    ['an empty signature', `${header}.${payload}.`],
    ['an empty payload', `${header}..${signature}`],
    ['an empty header', `.${payload}.${signature}`],
    ['only points', '..'],
    ['five segments, as if encrypted', `${access}.AAAA.AAAA`],
    ['no points', access.replaceAll('.', '')],
    ['commas', access.replaceAll('.', ',')],
    ['a percent-encoded point', access.replaceAll('.', '%2e')],
    ['the token twice', `${access},${access}`],
    ['the general JSON form', JSON.stringify({ payload, signatures: [{ protected: header, signature }] })],
    ['the flattened JSON form', JSON.stringify(flattened)],
    ['letters outside ASCII', `${access.slice(0, -1)}ä`],
    ['full-width letters', `${access}\u00ef\u00bc\u00a1`],
    ['a NUL-like escape', `${access}%00`],
    ['more than four thousand letters', `${access}${'A'.repeat(4096)}`],
    ...unusedBits.map((letter, bit): [string, string] => [`unused bit ${bit} set`, access.slice(0, -1) + letter]),
    ['a signature one letter short', access.slice(0, -1)],
  ];
  return [
    ...malformed
      .filter(([, token]) => token !== access)
      .map(
        ([about, token]): BadToken => ({
          about,
          token,
          expected: ['token_malformed', 'token_signature_invalid'],
        }),
      ),
    {
      about: 'the twin signature (r, n − s)',
      token: `${header}.${payload}.${twin}`,
      expected: 'token_signature_invalid',
    },
    {
      about: 'a DER signature',
      token: (() => {
        const input = `${header}.${payload}`;
        return `${input}.${sign('sha256', Buffer.from(input), key.privateKey).toString('base64url')}`;
      })(),
      expected: 'token_signature_invalid',
    },
    {
      about: 'a signature of zeros',
      token: `${header}.${payload}.${'A'.repeat(86)}`,
      expected: 'token_signature_invalid',
    },
    {
      about: 'a signature followed by a byte',
      token: `${header}.${payload}.${Buffer.concat([Buffer.from(signature, 'base64url'), Buffer.from([0])]).toString('base64url')}`,
      expected: 'token_signature_invalid',
    },
    {
      about: 'another payload under the signature',
      token: `${header}.${segment({ ...decodeSegment(access, 1), roles: ['admin'] })}.${signature}`,
      expected: 'token_signature_invalid',
    },
    ...(otherAlphabet(signature) === signature
      ? []
      : [
          {
            about: 'the standard base64 alphabet',
            token: `${header}.${payload}.${otherAlphabet(signature)}`,
            expected: 'token_malformed' as const,
          },
        ]),
  ];
};

const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** Signed with the real key: only the claims are wrong. */
const wrongClaims = ({ access, key }: Ingredients): BadToken[] => {
  const claims = decodeSegment(access, 1);
  const now = nowSeconds();
  const changed: readonly (readonly [string, Readonly<Record<string, unknown>>, ErrorCode])[] = [
    ['expired a second ago', { exp: now - 1 }, 'token_expired'],
    ['expiring this second', { exp: now }, 'token_expired'],
    ['expired in 1970', { exp: 0 }, 'token_expired'],
    ['issued in an hour', { iat: now + 3600, exp: now + 7200 }, 'token_not_yet_valid'],
    ['valid from in an hour', { nbf: now + 3600, exp: now + 7200 }, 'token_not_yet_valid'],
    ['from another issuer', { iss: 'https://elsewhere.example' }, 'token_issuer_wrong'],
    ['from our issuer with a slash', { iss: `${String(claims['iss'])}/` }, 'token_issuer_wrong'],
    ['from a list of issuers', { iss: [claims['iss']] }, 'token_malformed'],
    ['for another audience', { aud: 'https://elsewhere.example' }, 'token_audience_wrong'],
    ['for an empty audience', { aud: '' }, 'token_audience_wrong'],
    ['of an old epoch of the account', { aep: Number(claims['aep']) - 1 }, 'token_revoked'],
  ];
  return changed.map(([about, change, expected]) => ({ about, token: forge(key, { ...claims, ...change }), expected }));
};

/** Not tokens of ours at all. */
const otherThings = ({ refreshToken, access }: Ingredients): BadToken[] => [
  { about: 'a refresh token', token: refreshToken, expected: 'token_malformed' },
  { about: 'a word', token: 'token', expected: 'token_malformed' },
  { about: 'an admin key', token: `cak_${'A'.repeat(43)}`, expected: 'token_malformed' },
  { about: 'basic credentials', token: Buffer.from('user:password').toString('base64'), expected: 'token_malformed' },
  { about: 'a comma-separated second scheme', token: `${access}, Basic abc`, expected: 'token_malformed' },
  { about: 'a quoted token', token: `"${access}"`, expected: 'token_malformed' },
];

/** Every bad token. */
export const badTokens = (ingredients: Ingredients): BadToken[] => [
  ...headerTricks(ingredients),
  ...otherSpellings(ingredients),
  ...wrongClaims(ingredients),
  ...otherThings(ingredients),
];

/**
 * Payloads without the claims an issuer gives, signed with the real key: a bug of ours could make
 * them. They must not bring the service down.
 */
export const oddPayloads = ({ access }: Ingredients): readonly (readonly [string, unknown])[] => {
  const claims = decodeSegment(access, 1);
  return [
    ...Object.keys(claims).map((missing): [string, unknown] => [`no ${missing}`, { ...claims, [missing]: undefined }]),
    ...Object.keys(claims).flatMap((name) =>
      [null, 'text', 1e300, -1, 0.5, true, [], {}, ['x']].map((value): [string, unknown] => [
        `${name} = ${JSON.stringify(value)}`,
        { ...claims, [name]: value },
      ]),
    ),
    ['an empty object', {}],
    ['null', 'null'],
    ['an array', '[]'],
    ['a number', '1'],
    ['a text', '"text"'],
    ['no JSON', '{'],
    ['a prototype', `{"__proto__":${JSON.stringify(claims)}}`],
    ['deep nesting', '['.repeat(2000) + ']'.repeat(2000)],
  ];
};
