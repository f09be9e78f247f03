import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCompactForm } from './compact-form.ts';

const segment = fc.uint8Array({ minLength: 1, maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString('base64url'));
const token = fc.tuple(segment, segment, segment).map((segments) => segments.join('.'));

test('every canonical compact form is taken apart into its segments', () => {
  fc.assert(
    fc.property(segment, segment, segment, (header, payload, signature) => {
      assert.deepEqual(parseCompactForm(`${header}.${payload}.${signature}`), { header, payload, signature });
    }),
  );
});

const respellings: Readonly<Record<string, (text: string) => string>> = {
  'padding at the end': (text) => `${text}=`,
  'a space in front': (text) => ` ${text}`,
  'a space at the end': (text) => `${text} `,
  'a line end': (text) => `${text}\n`,
  'a tab': (text) => `${text}\t`,
  'a fourth segment': (text) => `${text}.QQ`,
  'an empty fourth segment': (text) => `${text}.`,
  'an empty first segment': (text) => `.${text.split('.').slice(1).join('.')}`,
  'two segments': (text) => text.split('.').slice(0, 2).join('.'),
  'the other base64 alphabet': (text) => `${text}+`,
  'a character of no alphabet': (text) => `${text.slice(0, -1)}é`,
};

for (const [name, respell] of Object.entries(respellings))
  test(`${name} makes it no compact form`, () => {
    fc.assert(fc.property(token, (text) => assert.equal(parseCompactForm(respell(text)), undefined)));
  });

test('of all last characters that decode to the same bytes exactly one is accepted', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  fc.assert(
    fc.property(segment, segment, segment, (header, payload, signature) => {
      const bytes = Buffer.from(signature, 'base64url');
      const accepted = [...alphabet].filter((last) => {
        const spelled = signature.slice(0, -1) + last;
        const isSame = Buffer.from(spelled, 'base64url').equals(bytes);
        return isSame && parseCompactForm(`${header}.${payload}.${spelled}`) !== undefined;
      });
      assert.deepEqual(accepted, [signature.at(-1)]);
    }),
    { numRuns: 50 },
  );
});

test('a token longer than any of ours is not looked at', () => {
  assert.equal(parseCompactForm(`${'A'.repeat(4092)}.QQ.QQ`), undefined);
});
