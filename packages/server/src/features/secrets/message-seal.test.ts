import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { MessageSeal } from './message-seal.ts';

const key = randomBytes(32);
const seal = new MessageSeal(key);

test('what was sealed opens, under the same key alone', () => {
  const other = new MessageSeal(randomBytes(32));
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      // UTF-8 text cannot hold half a surrogate pair.
      fc.pre(text.isWellFormed());
      const sealed = seal.seal(text);
      assert.equal(new MessageSeal(key).open(sealed), text);
      assert.equal(other.open(sealed), undefined);
    }),
  );
});

test('a message with any character changed, missing or added does not open', () => {
  const sealed = seal.seal('["acknowledgement","a",["m"]]');
  for (let index = 0; index < sealed.length; index++) {
    // The last character of a tag carries two bits that base64url does not use; nothing else is
    // spelled in two ways.
    const changed = sealed[index] === 'A' ? 'Q' : 'A';
    if (index !== 21) assert.equal(seal.open(sealed.slice(0, index) + changed + sealed.slice(index + 1)), undefined);
    assert.equal(seal.open(sealed.slice(0, index)), undefined);
    assert.equal(seal.open(sealed.slice(index + 1)), undefined);
  }
  assert.equal(seal.open(`${sealed} `), undefined);
  assert.equal(seal.open(''), undefined);
});
