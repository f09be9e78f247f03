/**
 * Checks a password against a stored hash of any accepted format. Everything runs in Node's thread
 * pool.
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
 * @throws when the format is not accepted; an import refuses such a hash
 */
export const verifyHash = async (storedHash: string, password: string): Promise<boolean> => {
  const stored = parseStoredHash(storedHash);
  switch (stored?.format) {
    case 'argon2id':
      return verifyArgon2(storedHash, password);
    case 'bcrypt':
      // bcrypt reads 72 bytes only, as in the system that the hash comes from. The upgrade after a
      // successful login ends that.
      return verifyBcrypt(password, storedHash);
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
      throw new Error('the stored hash is of no accepted format');
  }
};
