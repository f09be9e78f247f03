/**
 * Checks a password against a stored hash of any accepted format. Everything runs in Node's thread
 * pool.
 * @module
 */
import { pbkdf2, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { hashRaw } from '@node-rs/argon2';
import { verify as verifyBcrypt } from '@node-rs/bcrypt';
import { parseStoredHash } from '../features/passwords/hash-format.ts';

const pbkdf2Async = promisify(pbkdf2);

const scryptAsync = (password: string, salt: Buffer, length: number, options: object): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, tag) => (error === null ? resolve(tag) : reject(error)));
  });

/**
 * Whether the stored hash is of this password, byte by byte as it is given.
 * @throws when the hash cannot be read; callers ask `parseStoredHash` first
 */
export const verifyHash = async (storedHash: string, password: string): Promise<boolean> => {
  const stored = parseStoredHash(storedHash);
  switch (stored?.format) {
    case 'argon2id': {
      const { memoryKib: memoryCost, passes: timeCost, parallelism, salt, tag } = stored;
      const options = { memoryCost, timeCost, parallelism, salt, outputLen: tag.length };
      return timingSafeEqual(await hashRaw(password, options), tag);
    }
    case 'bcrypt':
      // bcrypt reads 72 bytes only, as in the system that the hash comes from.
      return verifyBcrypt(password, stored.text);
    case 'scrypt': {
      const { cost, blockSize, parallelism, salt, tag } = stored;
      // Node refuses hashes that need more than `maxmem`. Twice the result of the formula leaves
      // room for its bookkeeping.
      const options = { N: cost, r: blockSize, p: parallelism, maxmem: 256 * cost * blockSize + 2 ** 20 };
      return timingSafeEqual(await scryptAsync(password, salt, tag.length, options), tag);
    }
    case 'pbkdf2': {
      const { digest, iterations, salt, tag } = stored;
      return timingSafeEqual(await pbkdf2Async(password, salt, iterations, tag.length, digest), tag);
    }
    case undefined:
      throw new Error('the stored hash cannot be read');
  }
};
