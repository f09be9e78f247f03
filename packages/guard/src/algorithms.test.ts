import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { CompactSign, compactVerify } from 'jose';
import { type AlgorithmName, algorithmNames, signatureHolds, signBytes } from './algorithms.ts';

const pairs: Record<AlgorithmName, { publicKey: KeyObject; privateKey: KeyObject }> = {
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
  Ed25519: generateKeyPairSync('ed25519'),
  RS256: generateKeyPairSync('rsa', { modulusLength: 3072 }),
  PS256: generateKeyPairSync('rsa', { modulusLength: 3072 }),
};
const p256Order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The other signature that the same key would have made of the same bytes. */
const twin = (signature: Buffer): Buffer => {
  const s = p256Order - BigInt(`0x${signature.toString('hex', 32)}`);
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]);
};

for (const name of algorithmNames) {
  const { publicKey, privateKey } = pairs[name];
  const header = Buffer.from(JSON.stringify({ alg: name })).toString('base64url');

  test(`${name}: jose verifies what we sign`, async () => {
    const input = `${header}.${Buffer.from('payload').toString('base64url')}`;
    const signature = signBytes(name, privateKey, Buffer.from(input)).toString('base64url');
    const { payload } = await compactVerify(`${input}.${signature}`, publicKey, { algorithms: [name] });
    assert.equal(Buffer.from(payload).toString(), 'payload');
  });

  test(`${name}: we verify what jose signs, in its one accepted spelling`, async () => {
    const token = await new CompactSign(Buffer.from('payload')).setProtectedHeader({ alg: name }).sign(privateKey);
    const [head = '', payload = '', encoded = ''] = token.split('.');
    const bytes = Buffer.from(`${head}.${payload}`);
    const signature = Buffer.from(encoded, 'base64url');
    const spellings = name === 'ES256' ? [signature, twin(signature)] : [signature];
    assert.equal(spellings.filter((spelling) => signatureHolds(name, publicKey, bytes, spelling)).length, 1);
  });

  test(`${name}: a signature of other bytes, by another key or of another length does not hold`, () => {
    const bytes = Buffer.from('bytes');
    const signature = signBytes(name, privateKey, bytes);
    assert.ok(signatureHolds(name, publicKey, bytes, signature));
    assert.ok(!signatureHolds(name, publicKey, Buffer.from('bytez'), signature));
    assert.ok(!signatureHolds(name, publicKey, bytes, signature.subarray(1)));
    assert.ok(!signatureHolds(name, publicKey, bytes, Buffer.alloc(0)));
    const stranger = name === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : undefined;
    if (stranger !== undefined) assert.ok(!signatureHolds(name, stranger.publicKey, bytes, signature));
  });
}

test('ES256: our signatures always carry the lower s, and its twin never holds', () => {
  const { publicKey, privateKey } = pairs.ES256;
  for (let round = 0; round < 100; round++) {
    const bytes = Buffer.from(`round ${round}`);
    const signature = signBytes('ES256', privateKey, bytes);
    assert.ok(BigInt(`0x${signature.toString('hex', 32)}`) <= p256Order / 2n);
    assert.ok(signatureHolds('ES256', publicKey, bytes, signature));
    assert.ok(!signatureHolds('ES256', publicKey, bytes, twin(signature)));
  }
});

for (const name of ['RS256', 'PS256'] as const) {
  test(`${name}: a signature that begins with a zero byte does not hold without it, nor with one more`, () => {
    // A short key: one signature in 256 begins with a zero byte, so some hundreds have to be made.
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    let bytes = Buffer.from('round 0');
    let signature = signBytes(name, privateKey, bytes);
    for (let round = 1; signature[0] !== 0; round++) {
      bytes = Buffer.from(`round ${round}`);
      signature = signBytes(name, privateKey, bytes);
    }
    assert.ok(signatureHolds(name, publicKey, bytes, signature));
    assert.ok(!signatureHolds(name, publicKey, bytes, signature.subarray(1)));
    assert.ok(!signatureHolds(name, publicKey, bytes, Buffer.concat([Buffer.alloc(1), signature])));
  });
}
