import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { emailFields, emailKey, emailKeys, isEmail } from './rules.ts';

test('addresses of one mailbox have one key', () => {
  for (const spellings of [
    ['idn@bücher.example', 'IDN@BÜCHER.example', 'idn@xn--bcher-kva.example', 'Idn@XN--BCHER-KVA.Example'],
    ['idn@bu\u0308cher.example', 'idn@bücher。example', 'idn@ｂücher．example'],
    ['J\u030c@x.example', '\u01f0@x.example', 'j\u030c@x.example'],
    ['ΟΔΟΣ@x.example', 'οδος@x.example', 'οδοσ@x.example'],
    ['\u017f@x.example', 'S@x.example'],
    ['\u00b5@x.example', '\u03bc@x.example', '\u039c@x.example'],
    ['e\u0301@x.example', '\u00e9@x.example', 'É@X.example'],
    ['Ada@Example.com', 'ada@example.COM'],
  ])
    assert.equal(new Set(spellings.map(emailKey)).size, 1, spellings.join(' '));
});

test('addresses of different mailboxes have different keys', () => {
  const different = [
    'a@strasse.example',
    'a@straße.example',
    'ß@x.example',
    'ss@x.example',
    'ı@x.example',
    'i@x.example',
  ];
  assert.equal(new Set(different.map(emailKey)).size, different.length);
});

test('a letter and its one upper-case form have one key, and a key is its own key', () => {
  for (let point = 0; point <= 0x10ffff; point++) {
    if (point >= 0xd800 && point <= 0xdfff) continue;
    const letter = String.fromCodePoint(point);
    const upper = letter.toUpperCase();
    const key = emailKey(`${letter}@x`);
    assert.equal(emailKey(key), key, point.toString(16));
    if (upper !== letter && [...upper].length === 1 && letter !== 'ı')
      assert.equal(emailKey(`${upper}@x`), key, point.toString(16));
  }
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('x', 'bücher.example', 'XN--BCHER-KVA.example'),
      (local, domain) => {
        const key = emailKey(`${local}@${domain}`);
        assert.equal(emailKey(key), key);
      },
    ),
  );
});

test('an address is tried as it was typed, by its key, and with its domain in Unicode', () => {
  assert.deepEqual(emailKeys('Ada@Example.com'), ['ada@example.com']);
  assert.deepEqual(emailKeys('a@BÜCHER.example'), ['a@bücher.example', 'a@xn--bcher-kva.example']);
  assert.deepEqual(emailKeys('a@XN--bcher-kva.example'), ['a@xn--bcher-kva.example', 'a@bücher.example']);
  assert.deepEqual(emailKeys('ΟΔΟΣ@x.example'), ['οδος@x.example', 'οδοσ@x.example']);
  assert.deepEqual(emailFields('a@BÜCHER.example'), {
    email: 'a@BÜCHER.example',
    emailKey: 'a@xn--bcher-kva.example',
    formerKeys: ['a@bücher.example'],
  });
  for (const odd of ['', '@', 'no at', 'a@', '@b', 'a@xn--', 'a@%41ü', 'ü@[::1]', '\ud800@ü'])
    assert.ok(emailKeys(odd).length >= 1, odd);
});

test('an address that cannot be seen whole, or has a plainer spelling, is refused', () => {
  const invisible = [
    '\ufe0f',
    '\u180b',
    '\u034f',
    '\u3164',
    '\u115f',
    '\uffa0',
    '\u00ad',
    '\u200d',
    '\u2800',
    '\u{e0100}',
    ' ',
    '\u2028',
    '\0',
  ];
  for (const text of invisible) {
    assert.ok(!isEmail(`a${text}@example.com`), `U+${text.codePointAt(0)?.toString(16)} in the local part`);
    assert.ok(!isEmail(`a@exa${text}mple.com`), `U+${text.codePointAt(0)?.toString(16)} in the domain`);
  }
  for (const wrong of [
    '"ada"@example.com',
    'ada(work)@example.com',
    'ada\\@example.com',
    '<ada@example.com>',
    'ada@example.com.',
    'ada@.example.com',
    'ada@example..com',
    'ada@exam%70le.com',
    'ada@[127.0.0.1]',
    'ada@xn--0.example',
    'ada@xn--abc-.example',
    'ada@XN--.example',
    'ada@bücher。',
    'ada@bob@example.com',
    'ada@',
    '@example.com',
    'ada',
    `ada@${'a'.repeat(64)}.example`,
    `${'a'.repeat(65)}@example.com`,
  ])
    assert.ok(!isEmail(wrong), wrong);
  for (const right of [
    'ada@example.com',
    'a+b_c.d@my_host',
    "o'hara@xn--bcher-kva.example",
    'δοκιμή@παράδειγμα.δοκιμή',
    '用户@例子.广告',
  ])
    assert.ok(isEmail(right), right);
});
