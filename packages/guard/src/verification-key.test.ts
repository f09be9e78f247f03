import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { importKey, type PublishedKey } from './verification-key.ts';

const jwkOf = ({ publicKey }: { readonly publicKey: KeyObject }): object => publicKey.export({ format: 'jwk' });
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const published = { ...jwkOf(pair), kid: 'k', alg: 'ES256', use: 'sig' } as unknown as PublishedKey;

test('a key is taken whose type, curve and use suit its algorithm', () => {
  assert.equal(importKey(published)?.algorithm, 'ES256');
  assert.ok(importKey({ ...published, key_ops: ['verify'] }));
});

test('any other key is skipped, and stops nothing', () => {
  const p384 = jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }));
  const rsa = jwkOf(generateKeyPairSync('rsa', { modulusLength: 2048 }));
  const ed25519 = jwkOf(generateKeyPairSync('ed25519'));
  for (const [about, change] of [
    ['an algorithm this version does not know', { alg: 'ML-DSA-65' }],
    ['another curve', p384],
    ['another type', rsa],
    ['a key of Edwards', ed25519],
    ['the algorithm of another type', { alg: 'RS256' }],
    ['a key for encryption', { use: 'enc' }],
    ['a key without a use', { use: undefined }],
    ['a key that may only sign', { key_ops: ['sign'] }],
  ] as const)
    assert.equal(importKey({ ...published, ...change } as PublishedKey), undefined, about);
});
