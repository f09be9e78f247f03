import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { signBytes } from './algorithms.ts';
import { SignatureChecks } from './signature-checks.ts';
import { encodedHeader, importKey, type PublishedKey } from './verification-key.ts';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const published = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' } as PublishedKey;
const key = importKey(published);
if (key === undefined) throw new Error('The key does not import');

const claims = {
  iss: 'i',
  sub: 's',
  aud: 'a',
  iat: 1,
  nbf: 1,
  exp: 2,
  jti: 'j',
  sid: 'x',
  tid: 't',
  client_id: 'c',
  scope: '',
  roles: [],
  amr: ['pwd'],
  auth_time: 1,
  aep: 0,
  tep: 0,
};
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const sign = (header: string, payload: string): string =>
  `${header}.${payload}.${signBytes('ES256', privateKey, Buffer.from(`${header}.${payload}`)).toString('base64url')}`;
const token = sign(encodedHeader('ES256', 'k1'), encode(claims));
const checks = () => new SignatureChecks((header) => (header === key.header ? key : undefined));

test('a token of ours is taken, again and again, with its claims', () => {
  const memory = checks();
  for (let use = 0; use < 3; use++) assert.deepEqual(memory.check(token), { claims, key });
});

const headers: readonly (readonly [string, object, string])[] = [
  ['alg none', { alg: 'none', typ: 'at+jwt', kid: 'k1' }, 'token_algorithm_refused'],
  ['alg NONE', { alg: 'NONE', typ: 'at+jwt', kid: 'k1' }, 'token_algorithm_refused'],
  ['alg HS256', { alg: 'HS256', typ: 'at+jwt', kid: 'k1' }, 'token_algorithm_refused'],
  ['the algorithm of another kind of key', { alg: 'Ed25519', typ: 'at+jwt', kid: 'k1' }, 'token_algorithm_refused'],
  ['a foreign kid', { alg: 'ES256', typ: 'at+jwt', kid: 'k2' }, 'token_key_unknown'],
  ['no kid', { alg: 'ES256', typ: 'at+jwt' }, 'token_key_unknown'],
  ['another type', { alg: 'ES256', typ: 'JWT', kid: 'k1' }, 'token_type_wrong'],
  ['no type', { alg: 'ES256', kid: 'k1' }, 'token_type_wrong'],
  ['a jku', { alg: 'ES256', typ: 'at+jwt', kid: 'k1', jku: 'https://evil' }, 'token_malformed'],
  ['crit', { alg: 'ES256', typ: 'at+jwt', kid: 'k1', crit: ['exp'] }, 'token_malformed'],
  ['another order', { typ: 'at+jwt', alg: 'ES256', kid: 'k1' }, 'token_malformed'],
];

for (const [name, header, code] of headers)
  test(`a header with ${name} is refused as ${code}, even over a right signature`, () => {
    assert.equal(checks().check(sign(encode(header), encode(claims))), code);
  });

test('HS256 with the public key as its secret is refused', () => {
  const input = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: 'k1' })}.${encode(claims)}`;
  for (const secret of [
    publicKey.export({ format: 'pem', type: 'spki' }),
    publicKey.export({ format: 'der', type: 'spki' }),
  ]) {
    const mac = createHmac('sha256', secret).update(input).digest('base64url');
    assert.equal(checks().check(`${input}.${mac}`), 'token_algorithm_refused');
  }
});

test('no changed character leaves a token acceptable, whether the right one is remembered or not', () => {
  const warm = checks();
  warm.check(token);
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.constantFrom(...'ABab01-_.= '), (at, character) => {
      fc.pre(token[at] !== character);
      const changed = token.slice(0, at) + character + token.slice(at + 1);
      assert.equal(typeof checks().check(changed), 'string');
      assert.equal(typeof warm.check(changed), 'string');
    }),
    { numRuns: 300 },
  );
});

test('what is remembered is bounded, and a token in use stays', () => {
  let looked = 0;
  const memory = new SignatureChecks((header) => {
    looked += 1;
    return header === key.header ? key : undefined;
  }, 10 * token.length);
  memory.check(token);
  for (let index = 0; index < 100; index++) {
    memory.check(sign(encodedHeader('ES256', 'k1'), encode({ ...claims, jti: `j${index}` })));
    memory.check(token);
  }
  assert.equal(looked, 101, 'the token in use was checked once');
});

test('what is remembered is bounded in characters: large tokens take the places of many', () => {
  const largeOf = (index: number): string =>
    sign(encodedHeader('ES256', 'k1'), encode({ ...claims, jti: `j${index}`, roles: ['r'.repeat(3 * token.length)] }));
  const rememberedOf = (tokenOf: (index: number) => string): number => {
    const memory = new SignatureChecks((header) => (header === key.header ? key : undefined), 40 * token.length);
    const tokens = Array.from({ length: 200 }, (_, index) => tokenOf(index));
    for (const text of tokens) memory.check(text);
    return tokens.filter((text) => memory.remembered(text) !== undefined).length;
  };
  const small = rememberedOf((index) => sign(encodedHeader('ES256', 'k1'), encode({ ...claims, jti: `j${index}` })));
  assert.ok(small >= 38 && small <= 80, `${small} usual tokens`);
  const large = rememberedOf(largeOf);
  assert.ok(large >= 6 && large <= 20, `${large} large tokens`);
});

test('tokens that expire are forgotten two lifetimes later, though there is room; one in use stays', () => {
  const memory = checks();
  const tokenAt = (iat: number): string =>
    sign(encodedHeader('ES256', 'k1'), encode({ ...claims, iat, nbf: iat, exp: iat + 60, jti: String(iat) }));
  const [first, used] = [tokenAt(0), tokenAt(1)];
  for (const text of [first, used, tokenAt(60)]) memory.check(text);
  assert.ok(memory.remembered(first), 'its generation is not over');
  memory.check(tokenAt(61));
  assert.ok(memory.remembered(used), 'the old generation is looked at');
  memory.check(tokenAt(122));
  assert.equal(memory.remembered(first), undefined);
  assert.ok(memory.remembered(used));
});
