import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { algorithmNames } from '@catalytic/guard/algorithms';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { Secret } from '../secrets/secret.ts';
import { createSigningKey } from './create-signing-key.ts';
import { KeyRing } from './key-ring.ts';
import { needsReplacement } from './rules.ts';
import type { SigningKeyStore, StoredSigningKey } from './store.ts';

const masterKey = new Secret(randomBytes(32));

/** A port over a list that the test changes: the ring only reads. */
const storeOf = (keys: readonly StoredSigningKey[]): SigningKeyStore => ({
  list: async () => keys,
  addFirst: async () => {},
  addSuccessor: async () => {},
  kill: async () => undefined,
});

for (const algorithm of algorithmNames)
  test(`${algorithm}: a key is named by its RFC 7638 thumbprint and publishes nothing private`, async () => {
    const key = createSigningKey(algorithm, masterKey, 0, 0);
    const jwk = JSON.parse(key.publicJwk) as JWK;
    assert.equal(key.kid, await calculateJwkThumbprint(jwk));
    assert.deepEqual(
      ['d', 'p', 'q', 'dp', 'dq', 'qi'].filter((member) => member in jwk),
      [],
    );
    if (jwk.kty === 'RSA') assert.equal(Buffer.from(jwk.n ?? '', 'base64url').length * 8, 3072);
  });

test('a successor is published before it signs, and the old key lives until it retires; then it only signs out', async () => {
  const first = { ...createSigningKey('ES256', masterKey, 0, 0), retiresAtMs: 5000 };
  const second = createSigningKey('ES256', masterKey, 1000, 2000);
  const ring = new KeyRing(storeOf([first, second]), masterKey);
  await ring.load(1000);
  assert.deepEqual(
    ring.jwks().keys.map(({ kid }) => kid),
    [first.kid, second.kid],
  );
  assert.equal(ring.signingKey(1999).verification.kid, first.kid);
  assert.equal(ring.signingKey(2000).verification.kid, second.kid);
  const old = ring.signingKey(1999).verification;
  await ring.load(4999);
  assert.ok(ring.isAlive(old));
  assert.equal(ring.find(old.header), old, 'remembered checks stay valid over a reload');
  await ring.load(5000);
  assert.ok(!ring.isAlive(old));
  assert.equal(ring.find(old.header)?.kid, old.kid, 'its expired tokens are still recognised');
  assert.equal(ring.signingKey(1999).verification.kid, second.kid);
  assert.deepEqual(
    ring.jwks().keys.map(({ kid }) => kid),
    [second.kid],
  );
});

test('a killed key signs nothing, although the store has not been loaded since', async () => {
  const first = createSigningKey('ES256', masterKey, 0, 0);
  const second = createSigningKey('ES256', masterKey, 1000, 2000);
  const ring = new KeyRing(storeOf([first, second]), masterKey);
  await ring.load(1000);
  const killed = new Set<string>([second.kid]);
  ring.distrust((kid) => killed.has(kid));
  assert.equal(ring.signingKey(3000).verification.kid, first.kid);
  killed.add(first.kid);
  assert.throws(() => ring.signingKey(3000), { code: 'signing_key_unavailable' });
});

test('a killed key is replaced when it was the newest, or the only active one', () => {
  const key = (activatesAtMs: number, retiresAtMs: number | null) => ({ activatesAtMs, retiresAtMs });
  const [retiring, newest, pending] = [key(0, 9000), key(1000, null), key(5000, null)];
  assert.equal(needsReplacement(newest, [retiring], 2000), true, 'nothing would sign after 9000');
  assert.equal(needsReplacement(retiring, [newest], 2000), false);
  assert.equal(needsReplacement(retiring, [pending], 2000), true, 'nothing would sign before 5000');
  assert.equal(needsReplacement(newest, [], 2000), true);
});

test('another master key opens nothing', async () => {
  const ring = new KeyRing(storeOf([createSigningKey('ES256', masterKey, 0, 0)]), new Secret(randomBytes(32)));
  await assert.rejects(ring.load(0));
});
