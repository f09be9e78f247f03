import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { deriveKey, seal, unseal } from './seal.ts';

const key = randomBytes(32);

test('what is sealed opens with its key and its context', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.string(), (plain, context) => {
      assert.deepEqual(unseal(key, seal(key, Buffer.from(plain), context), context), Buffer.from(plain));
    }),
  );
});

test('another key, another context or one changed bit opens nothing', () => {
  const box = seal(key, Buffer.from('plain'), 'context');
  assert.throws(() => unseal(randomBytes(32), box, 'context'));
  assert.throws(() => unseal(key, box, 'other'));
  for (let bit = 0; bit < box.length * 8; bit++) {
    const changed = Buffer.from(box);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.throws(() => unseal(key, changed, 'context'));
  }
});

test('the same plain text is sealed differently each time', () => {
  assert.notDeepEqual(seal(key, Buffer.from('plain'), 'context'), seal(key, Buffer.from('plain'), 'context'));
});

test('keys for different purposes differ', () => {
  assert.notDeepEqual(deriveKey(key, 'a'), deriveKey(key, 'b'));
  assert.deepEqual(deriveKey(key, 'a'), deriveKey(key, 'a'));
});
