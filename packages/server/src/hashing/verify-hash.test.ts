import assert from 'node:assert/strict';
import { pbkdf2Sync, randomBytes, scryptSync } from 'node:crypto';
import { test } from 'node:test';
import { hash as hashArgon2 } from '@node-rs/argon2';
import { hash as hashBcrypt } from '@node-rs/bcrypt';
import { isAcceptedHash, needsUpgrade } from '../features/passwords/hash-format.ts';
import { verifyHash } from './verify-hash.ts';

const password = 'nine lanterns over the harbour';
const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
const salt = randomBytes(16);

const scryptHash = `$scrypt$ln=14,r=8,p=1$${unpadded(salt)}$${unpadded(scryptSync(password, salt, 32, { N: 2 ** 14, r: 8, p: 1 }))}`;
const pbkdf2Hash = (digest: string): string =>
  `$pbkdf2-${digest}$i=1000$${unpadded(salt)}$${unpadded(pbkdf2Sync(password, salt, 1000, 32, digest))}`;

const imported: readonly (readonly [string, string | Promise<string>])[] = [
  ['bcrypt', hashBcrypt(password, 4)],
  ['scrypt', scryptHash],
  ['PBKDF2 with SHA-256', pbkdf2Hash('sha256')],
  ['PBKDF2 with SHA-512', pbkdf2Hash('sha512')],
  ['argon2id with other parameters', hashArgon2(password, { memoryCost: 8192, timeCost: 1, parallelism: 1 })],
];

for (const [name, stored] of imported)
  test(`${name}: the right password passes, a wrong one does not, and the hash is due for an upgrade`, async () => {
    const storedHash = await stored;
    assert.ok(isAcceptedHash(storedHash), storedHash);
    assert.ok(needsUpgrade(storedHash));
    assert.equal(await verifyHash(storedHash, password), true);
    assert.equal(await verifyHash(storedHash, `${password}.`), false);
  });

test('known hashes of other makers are understood', async () => {
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
  ['scrypt that wants more than 256 MiB', scryptHash.replace('ln=14', 'ln=20')],
  ['PBKDF2 with absurdly many rounds', pbkdf2Hash('sha256').replace('i=1000', 'i=20000000')],
  ['PBKDF2 with SHA-1', pbkdf2Hash('sha256').replace('sha256', 'sha1')],
  ['bcrypt of cost 31', '$2b$31$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ0123'],
  ['argon2i', '$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21l$c29tZXRhZ3NvbWV0YWdzb21ldGFn'],
  ['a plain password', password],
  ['nothing', ''],
];

for (const [name, text] of refused)
  test(`${name} is no accepted hash`, () => {
    assert.equal(isAcceptedHash(text), false);
  });
