/**
 * The most that a check of a new stored hash may cost. Each sign-in to its account, right or wrong,
 * costs the machine this much CPU time.
 *
 * A check costs the product of the parameters, so the product is limited. Each limit is the next
 * setting in common use above ten times the cost of the service's own hash, because a lower one
 * would refuse the accounts of systems that follow OWASP (Password Storage Cheat Sheet).
 *
 * | format | limit | the same in common use | one check on one core |
 * |---|---|---|---|
 * | argon2id, ours | | m=19456, t=2 | 13 ms |
 * | argon2id | m·t = 389,120 KiB | m=65536, t=4 | 129 ms |
 * | bcrypt | 2^12 rounds | cost 12 | 238 ms |
 * | scrypt | N·r·p = 2^20 | ln=17, r=8, p=1 | 322 ms |
 * | PBKDF2 | 1,500,000 rounds for each block of the tag | i=1200000 with SHA-256 | 150 ms |
 *
 * Measured on one AMD EPYC core, Node 26.10, 30 November 2026.
 * @module
 */
import { argon2idCost } from '@catalytic/protocol/argon2id-cost';
import { hasUsualSpelling, parseStoredHash, type StoredHash } from './hash-format.ts';

const argon2idWorkMax = 10 * argon2idCost.memoryKib * argon2idCost.passes;
const bcryptLogCostMax = 12;
const scryptWorkMax = 2 ** 20;
const pbkdf2RoundsMax = 1_500_000;

/** Bytes of one block of PBKDF2's output (RFC 8018 section 5.2). */
const digestBytes = { sha256: 32, sha512: 64 } as const;

/** The limit that a hash exceeds, as the end of a sentence, or `undefined`. */
const exceededLimit = (stored: StoredHash): string | undefined => {
  switch (stored.format) {
    case 'argon2id':
      return stored.memoryKib * stored.passes > argon2idWorkMax
        ? `m times t may be ${argon2idWorkMax} at most`
        : undefined;
    case 'bcrypt':
      return stored.logCost > bcryptLogCostMax ? `its cost may be ${bcryptLogCostMax} at most` : undefined;
    case 'scrypt':
      return stored.cost * stored.blockSize * stored.parallelism > scryptWorkMax
        ? `N times r times p may be ${scryptWorkMax} at most (ln=17, r=8, p=1)`
        : undefined;
    case 'pbkdf2': {
      // Each block of the tag is computed with all the rounds.
      const blocks = Math.ceil(stored.tag.length / digestBytes[stored.digest]);
      return stored.iterations * blocks > pbkdf2RoundsMax
        ? `i may be ${pbkdf2RoundsMax} at most, for all blocks of the tag together`
        : undefined;
    }
  }
};

/**
 * Why a hash of another system may not be stored, as the end of a sentence that starts with the
 * field's name; `undefined` when it may be. A hash that was stored before a limit existed is still
 * checked: `parseStoredHash` has the limits of a check.
 */
export const storingRefusal = (text: string): string | undefined => {
  const stored = parseStoredHash(text);
  if (stored === undefined) return 'is not an accepted argon2id, bcrypt, scrypt or PBKDF2 hash';
  if (!hasUsualSpelling(text, stored))
    return 'is damaged or spelled unusually: a leading zero, or base64 with unused bits set';
  const limit = exceededLimit(stored);
  return limit === undefined ? undefined : `costs too much to check: ${limit}`;
};
