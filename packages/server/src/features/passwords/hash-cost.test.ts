import assert from 'node:assert/strict';
import { test } from 'node:test';
import { argon2idCost, argon2idPrefix } from '@catalytic/protocol/argon2id-cost';
import { storingRefusal } from './hash-cost.ts';

const tail = `$${'A'.repeat(22)}$${'A'.repeat(43)}`;
const argon2id = (memoryKib: number, passes: number, parallelism = 1): string =>
  `${argon2idPrefix({ memoryKib, passes, parallelism })}${tail}`;
const bcrypt = (cost: number): string => `$2b$${String(cost).padStart(2, '0')}$${'a'.repeat(53)}`;

const stored: readonly (readonly [string, string])[] = [
  ['our own', argon2id(argon2idCost.memoryKib, argon2idCost.passes)],
  ['argon2id as RFC 9106 recommends it second', argon2id(65_536, 3, 4)],
  ['argon2id of 256 MiB in one pass', argon2id(262_144, 1)],
  ['bcrypt of cost 12', bcrypt(12)],
  ['scrypt as OWASP recommends it', `$scrypt$ln=17,r=8,p=1${tail}`],
  ['PBKDF2 as OWASP recommends it', `$pbkdf2-sha256$i=600000${tail}`],
];
for (const [name, hash] of stored) test(`${name} may be stored`, () => assert.equal(storingRefusal(hash), undefined));

// Each of their parameters alone is within its limit.
const tooCostly: readonly (readonly [string, string, RegExp])[] = [
  ['argon2id of much memory and many passes', argon2id(262_144, 16, 8), /m times t may be 389120/],
  ['argon2id of much memory and two passes', argon2id(262_144, 2), /m times t/],
  ['bcrypt of cost 13', bcrypt(13), /its cost may be 12/],
  ['scrypt with p=2', `$scrypt$ln=17,r=8,p=2${tail}`, /N times r times p may be 1048576/],
  ['scrypt with p=8', `$scrypt$ln=18,r=8,p=8${tail}`, /N times r times p/],
  ['scrypt with a large N', `$scrypt$ln=20,r=2,p=8${tail}`, /N times r times p/],
  ['scrypt with a large r', `$scrypt$ln=14,r=99,p=1${tail}`, /N times r times p/],
  ['PBKDF2 of two million rounds', `$pbkdf2-sha512$i=2000000${tail}`, /i may be 1500000/],
  [
    'PBKDF2 whose tag has two blocks',
    `$pbkdf2-sha256$i=800000$${'A'.repeat(22)}$${'A'.repeat(86)}`,
    /all blocks of the tag/,
  ],
];
for (const [name, hash, reason] of tooCostly)
  test(`${name} costs too much to be stored`, () => assert.match(String(storingRefusal(hash)), reason));

test('a text that is no hash is refused as such', () => {
  assert.match(String(storingRefusal('nine lanterns over the harbour')), /not an accepted/);
});
