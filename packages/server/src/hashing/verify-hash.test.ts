import assert from 'node:assert/strict';
import { pbkdf2Sync, randomBytes, scryptSync } from 'node:crypto';
import { test } from 'node:test';
import { hash as hashArgon2 } from '@node-rs/argon2';
import { hash as hashBcrypt } from '@node-rs/bcrypt';
import fc from 'fast-check';
import { storingRefusal } from '../features/passwords/hash-cost.ts';
import { dependsOnWhole, needsUpgrade, parseStoredHash } from '../features/passwords/hash-format.ts';
import { verifyHash } from './verify-hash.ts';

const password = 'nine lanterns over the harbour';
const unpadded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '');
const salt = randomBytes(16);

const scryptHash = (text = password): string =>
  `$scrypt$ln=4,r=8,p=1$${unpadded(salt)}$${unpadded(scryptSync(text, salt, 32, { N: 2 ** 4, r: 8, p: 1 }))}`;
const pbkdf2Hash = (digest: string, text = password): string =>
  `$pbkdf2-${digest}$i=1000$${unpadded(salt)}$${unpadded(pbkdf2Sync(text, salt, 1000, 32, digest))}`;
const argon2Hash = (text = password) => hashArgon2(text, { memoryCost: 64, timeCost: 1, parallelism: 1, salt });

const imported: readonly (readonly [string, string | Promise<string>])[] = [
  ['bcrypt', hashBcrypt(password, 4)],
  ['bcrypt as PHP marks it', hashBcrypt(password, 4).then((hash) => hash.replace('$2b$', '$2y$'))],
  ['bcrypt as older systems mark it', hashBcrypt(password, 4).then((hash) => hash.replace('$2b$', '$2a$'))],
  ['scrypt', scryptHash()],
  ['PBKDF2 with SHA-256', pbkdf2Hash('sha256')],
  ['PBKDF2 with SHA-512', pbkdf2Hash('sha512')],
  ['argon2id with other parameters', argon2Hash()],
];

for (const [name, stored] of imported)
  test(`a hash by ${name} can be stored, is checked, and is upgraded at the next login`, async () => {
    const storedHash = await stored;
    assert.equal(storingRefusal(storedHash), undefined, storedHash);
    assert.ok(needsUpgrade(storedHash));
    assert.ok(dependsOnWhole(storedHash, password));
    assert.equal(await verifyHash(storedHash, password), true);
    assert.equal(await verifyHash(storedHash, `${password}.`), false);
  });

test('published test vectors are recognised', async () => {
  // RFC 7914 section 12 (scrypt) and section 11 (PBKDF2-HMAC-SHA-256).
  const hex = (text: string): string => unpadded(Buffer.from(text.replaceAll(' ', ''), 'hex'));
  const scryptVector =
    '7023bdcb3afd7348461c06cd81fd38eb fda8fbba904f8e3ea9b543f6545da1f2 d5432955613f0fcf62d49705242a9af9 e61e85dc0d651e40dfcf017b45575887';
  const saltOf = (text: string): string => unpadded(Buffer.from(text));
  assert.equal(
    await verifyHash(`$scrypt$ln=14,r=8,p=1$${saltOf('SodiumChloride')}$${hex(scryptVector)}`, 'pleaseletmein'),
    true,
  );
});

const refused: readonly (readonly [string, string])[] = [
  ['scrypt that wants more than 256 MiB', scryptHash().replace('ln=4', 'ln=20')],
  ['scrypt whose N is too large for its r', scryptHash().replace('ln=4,r=8', 'ln=16,r=1')],
  ['PBKDF2 with absurdly many rounds', pbkdf2Hash('sha256').replace('i=1000', 'i=20000000')],
  ['PBKDF2 with SHA-1', pbkdf2Hash('sha256').replace('sha256', 'sha1')],
  ['bcrypt of cost 31', '$2b$31$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ0123'],
  ['bcrypt by the implementation with the sign bug', (await hashBcrypt(password, 4)).replace('$2b$', '$2x$')],
  ['argon2i', '$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21l$c29tZXRhZ3NvbWV0YWdzb21ldGFn'],
  ['the spelling of Django', 'pbkdf2_sha256$600000$c2FsdHNhbHQ$c29tZXRhZ3NvbWV0YWdzb21ldGFnc29tZXRhZ3NvbWV0'],
  ['the spelling of passlib', '$pbkdf2-sha256$29000$c2FsdHNhbHRzYWx0c2Fs$c29tZXRhZ3NvbWV0YWdzb21ldGFnc29tZXRhZ3NvbWV0'],
  ['the spelling of Werkzeug', 'scrypt:32768:8:1$saltsalt$00112233445566778899aabbccddeeff'],
  ['the spelling of LDAP', '{CRYPT}$2b$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ0123'],
  ['a plain password', password],
  ['nothing', ''],
];

for (const [name, text] of refused)
  test(`${name} is not accepted`, () => {
    assert.equal(parseStoredHash(text), undefined);
    assert.match(String(storingRefusal(text)), /not an accepted/);
  });

/** Sets the lowest bit of the last digit, which belongs to no byte. */
const withStrayBit = (text: string): string => {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  return text.slice(0, -1) + digits.charAt(digits.indexOf(text.slice(-1)) | 1);
};
const odd: readonly (readonly [string, string, (text: string) => boolean])[] = [
  ['argon2id with a leading zero', (await argon2Hash()).replace('m=64', 'm=064'), () => true],
  ['scrypt with a leading zero', scryptHash().replace('ln=4', 'ln=04'), () => true],
  ['PBKDF2 with a leading zero', pbkdf2Hash('sha256').replace('i=1000', 'i=01000'), () => true],
  ['argon2id with a stray bit', withStrayBit(await argon2Hash()), () => true],
  ['PBKDF2 with a stray bit', withStrayBit(pbkdf2Hash('sha256')), () => true],
  ['scrypt with a stray bit', withStrayBit(scryptHash()), () => true],
  ['a salt of 13 digits', (await argon2Hash()).replace(unpadded(salt), unpadded(salt).slice(0, 13)), () => false],
  ['a tag of 25 digits', (await argon2Hash()).slice(0, -18), () => false],
];
for (const [name, text, isRight] of odd)
  test(`${name} is refused at import, and checked if an earlier version stored it`, async () => {
    assert.match(String(storingRefusal(text)), /damaged or spelled unusually/);
    assert.equal(await verifyHash(text, password), isRight(text));
  });

test('bcrypt with noise in the unused bits of its salt is checked as the system that made it did', async () => {
  const usual = await hashBcrypt(password, 4);
  const digit = '.Oeu'.indexOf(usual.charAt(28)) * 16 + 5;
  const noisy = `${usual.slice(0, 28)}${'./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'[digit]}${usual.slice(29)}`;
  assert.notEqual(noisy, usual);
  assert.equal(storingRefusal(noisy), undefined);
  assert.equal(await verifyHash(noisy, password), true);
  assert.equal(await verifyHash(noisy, `${password}.`), false);
});

test('a password that the hash does not read wholly is no ground for an upgrade', async () => {
  const long = 'x'.repeat(80);
  const bcrypt = await hashBcrypt(long, 4);
  for (const typed of [long, `${'x'.repeat(72)} and another end`, 'x'.repeat(72)]) {
    assert.equal(await verifyHash(bcrypt, typed), true, 'bcrypt reads 72 bytes');
    assert.equal(dependsOnWhole(bcrypt, typed), false);
  }
  for (const [hash, typed] of [
    [await hashBcrypt('a', 4), 'a\0a'],
    [pbkdf2Hash('sha256'), `${password}\0`],
    [scryptHash(), `${password}\0`],
  ] as const) {
    assert.equal(await verifyHash(hash, typed), true, `${hash} ignores the NUL`);
    assert.equal(dependsOnWhole(hash, typed), false);
  }
  assert.equal(await verifyHash(await argon2Hash(), `${password}\0`), false);
});

test('every hash that can be stored can be checked', async () => {
  const base64 = (minLength: number) => fc.uint8Array({ minLength, maxLength: 64 }).map(unpadded);
  const anyBase64 = fc.stringMatching(/^[A-Za-z0-9+/]{8,90}$/);
  const fields = fc.tuple(fc.oneof(base64(6), anyBase64), fc.oneof(base64(14), anyBase64));
  const small = fc.integer({ min: 0, max: 20 });
  const head = fc.oneof(
    fc.tuple(fc.integer({ min: 0, max: 200 }), small, small).map(([m, t, p]) => `$argon2id$v=19$m=${m},t=${t},p=${p}`),
    fc.tuple(fc.integer({ min: 0, max: 17 }), small, small).map(([ln, r, p]) => `$scrypt$ln=${ln},r=${r},p=${p}`),
    fc.tuple(fc.constantFrom('256', '512'), small).map(([digest, i]) => `$pbkdf2-sha${digest}$i=${i}`),
  );
  const phc = fc.tuple(head, fields).map(([start, [saltText, tagText]]) => `${start}$${saltText}$${tagText}`);
  const bcrypt = fc.stringMatching(/^\$2[abxy]\$04\$[A-Za-z0-9./]{53}$/);
  let stored = 0;
  await fc.assert(
    fc.asyncProperty(fc.oneof(phc, bcrypt), async (text) => {
      const canBeStored = storingRefusal(text) === undefined;
      if (canBeStored) stored += 1;
      if (canBeStored || parseStoredHash(text) !== undefined)
        assert.equal(await verifyHash(text, 'no password at all'), false);
    }),
    { numRuns: 300 },
  );
  assert.ok(stored > 10, `only ${stored} of the hashes can be stored`);
});
