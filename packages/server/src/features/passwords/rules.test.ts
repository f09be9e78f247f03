import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passwordRefusal, preparePassword } from './rules.ts';

const code = (password: string, email = 'ada.lovelace@example.com'): string | undefined =>
  passwordRefusal(preparePassword(password), email)?.code;

const cases: readonly (readonly [string, string, string | undefined])[] = [
  ['fifteen characters', 'plum torch 8 jig', undefined],
  ['fourteen characters', 'plum torch 8 j', 'password_too_short'],
  ['fifteen emoji, thirty UTF-16 units', '🦊🌲🎩🚲📻🧊🪁🍋🧦🪴🎻🧭🪙🧩🥁', undefined],
  ['eight emoji, sixteen UTF-16 units', '🦊🌲🎩🚲📻🧊🪁🍋', 'password_too_short'],
  ['only lower-case letters', 'lanternharbouroboe', undefined],
  ['256 characters', 'lantern harbour oboe '.repeat(13).slice(0, 256), undefined],
  ['257 characters', 'lantern harbour oboe '.repeat(13).slice(0, 257), 'password_too_long'],
  ['one character repeated', 'aaaaaaaaaaaaaaaa', 'password_blocked'],
  ['four characters repeated', 'abcdabcdabcdabcd', 'password_blocked'],
  ['a favourite twice', 'passwordpassword', 'password_blocked'],
  ['a favourite with digits', 'Password12345678!', 'password_blocked'],
  ['digits in order', '1234567890123456', 'password_blocked'],
  ['digits in reverse order', '6543210987654321', 'password_blocked'],
  ['a row of the keyboard', 'qwertyuiopasdfgh', 'password_blocked'],
  ['the alphabet', 'abcdefghijklmnopqrstuvwxyz', 'password_blocked'],
  ['a famous comic', 'correct horse battery staple', 'password_blocked'],
  ['the email address', 'ada.lovelace@example.com', 'password_blocked'],
  ['the local part of the email, decorated', 'Ada.Lovelace2026!!', 'password_blocked'],
];

for (const [name, password, expected] of cases)
  test(`${name}: ${expected ?? 'accepted'}`, () => {
    assert.equal(code(password), expected);
  });

test('composed and decomposed accents are one password', () => {
  assert.equal(preparePassword('cafe\u0301 am hafen').reveal(), preparePassword('café am hafen').reveal());
});

test('spaces and case are kept', () => {
  assert.equal(preparePassword(' A b ').reveal(), ' A b ');
});

test('half a surrogate pair is refused: it has no UTF-8 form', () => {
  assert.throws(() => preparePassword('lantern harbour \ud83e'), { code: 'body_invalid' });
});
