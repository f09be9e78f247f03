/**
 * Checks a password against a stored hash of any accepted format. Everything runs in Node's thread pool.
 * @module
 */
import { pbkdf2, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { verify as verifyArgon2 } from '@node-rs/argon2';
import { verify as verifyBcrypt } from '@node-rs/bcrypt';
import { parseStoredHash } from '../features/passwords/hash-format.ts';

const pbkdf2Async = promisify(pbkdf2);

const scryptAsync = (password: string, salt: Buffer, length: number, options: object): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, tag) => (error === null ? resolve(tag) : reject(error)));
  });

/**
 * Whether the stored hash is of this password.
 * @throws when the format is not an accepted one: an import would have refused it
 */
export const verifyHash = async (storedHash: string, password: string): Promise<boolean> => {
  const stored = parseStoredHash(storedHash);
  switch (stored?.format) {
    case 'argon2id':
      return verifyArgon2(storedHash, password);
    case 'bcrypt':
      // bcrypt reads 72 bytes; the system it comes from has done the same. The upgrade that follows a success ends it.
      return verifyBcrypt(password, storedHash);
    case 'scrypt': {
      const { cost, blockSize, parallelism, salt, tag } = stored;
      // Node refuses what needs more than `maxmem`; twice what the formula gives leaves room for its own bookkeeping.
      const options = { N: cost, r: blockSize, p: parallelism, maxmem: 256 * cost * blockSize + 2 ** 20 };
      return timingSafeEqual(await scryptAsync(password, salt, tag.length, options), tag);
    }
    case 'pbkdf2': {
      const { digest, iterations, salt, tag } = stored;
      return timingSafeEqual(await pbkdf2Async(password, salt, iterations, tag.length, digest), tag);
    }
    case undefined:
      throw new Error('the stored hash is of no accepted format');
  }
};
