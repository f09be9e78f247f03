/**
 * Formats of stored password hashes: which are accepted, and which are upgraded at the next login.
 *
 * | format | looks like | from |
 * |---|---|---|
 * | argon2id | `$argon2id$v=19$m=19456,t=2,p=1$SALT$TAG` | ours; PHC string |
 * | bcrypt | `$2b$12$…` (also `2a`, `2y`) | most older systems |
 * | scrypt | `$scrypt$ln=17,r=8,p=1$SALT$TAG` | PHC string |
 * | PBKDF2 | `$pbkdf2-sha256$i=600000$SALT$TAG` (also `sha512`) | PHC string |
 *
 * SALT and TAG are base64 without padding. Every parameter has an upper limit here; `hash-cost.ts`
 * limits their product for new hashes.
 *
 * There is one reader, which the check of a password and the import of a hash both use, so a hash
 * that is stored can be checked. The reader also takes odd spellings, because earlier versions stored
 * them; a new hash must have the usual spelling.
 * @module
 */
import { type Argon2idCost, argon2idCost } from '@catalytic/protocol/argon2id-cost';

/** A stored hash, taken apart as far as checking a password needs. */
export type StoredHash =
  | ({ readonly format: 'argon2id'; readonly salt: Buffer; readonly tag: Buffer } & Argon2idCost)
  | {
      readonly format: 'bcrypt';
      /** The hash in the one spelling that the verifier reads. */
      readonly text: string;
      /** Binary logarithm of the number of rounds. */
      readonly logCost: number;
    }
  | {
      readonly format: 'scrypt';
      /** CPU and memory cost N, a power of two (RFC 7914 section 2). */
      readonly cost: number;
      readonly blockSize: number;
      readonly parallelism: number;
      readonly salt: Buffer;
      readonly tag: Buffer;
    }
  | {
      readonly format: 'pbkdf2';
      readonly digest: 'sha256' | 'sha512';
      readonly iterations: number;
      readonly salt: Buffer;
      readonly tag: Buffer;
    };

const memoryBytesMax = 256 * 1024 * 1024;
const passesMax = 16;
const parallelismMax = 8;
/** A check takes about half a second; each step doubles it. */
const bcryptCostMax = 13;
const bcryptCostMin = 4;
const scryptLogCostMax = 20;
const pbkdf2IterationsMax = 2_000_000;

// Salt 8 to 64 bytes, tag 16 to 64 bytes.
const saltAndTag = String.raw`\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$`;
const argon2idPattern = new RegExp(String.raw`^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})${saltAndTag}`);
// Not `2x`: it marks hashes of an implementation that read bytes above 127 wrongly.
const bcryptPattern = /^(\$2[aby]\$(\d\d)\$[A-Za-z0-9./]{21})([A-Za-z0-9./])([A-Za-z0-9./]{30})([A-Za-z0-9./])$/;
const bcryptDigits = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const scryptPattern = new RegExp(String.raw`^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})${saltAndTag}`);
const pbkdf2Pattern = new RegExp(String.raw`^\$pbkdf2-(sha256|sha512)\$i=(\d{1,8})${saltAndTag}`);

const isBetween = (value: number, least: number, most: number): boolean => value >= least && value <= most;

/** Unused bits at the end are ignored, as most decoders do. */
const bytes = (base64: string | undefined): Buffer => Buffer.from(base64 ?? '', 'base64');

/** The digit of bcrypt's base64 with its lowest bits cleared, which belong to no byte. */
const withoutUnusedBits = (digit = '', unusedBits: number): string =>
  bcryptDigits.charAt((bcryptDigits.indexOf(digit) >> unusedBits) << unusedBits);

const parseArgon2id = (text: string): StoredHash | undefined => {
  const match = argon2idPattern.exec(text);
  if (match === null) return undefined;
  const [memoryKib, passes, parallelism] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const isWithinLimits =
    isBetween(parallelism, 1, parallelismMax) &&
    isBetween(passes, 1, passesMax) &&
    // RFC 9106 section 3.1: at least eight blocks for each lane.
    isBetween(memoryKib, 8 * parallelism, memoryBytesMax / 1024);
  if (!isWithinLimits) return undefined;
  return { format: 'argon2id', memoryKib, passes, parallelism, salt: bytes(match[4]), tag: bytes(match[5]) };
};

const parseBcrypt = (text: string): StoredHash | undefined => {
  const match = bcryptPattern.exec(text);
  if (match === null) return undefined;
  const [, head, digits, saltEnd, tag, tagEnd] = match;
  const logCost = Number(digits);
  if (!isBetween(logCost, bcryptCostMin, bcryptCostMax)) return undefined;
  // 22 digits for 16 bytes of salt, 31 for 23 bytes of tag. Some systems filled the unused bits with
  // noise, and the verifier would find every password wrong.
  return {
    format: 'bcrypt',
    logCost,
    text: `${head}${withoutUnusedBits(saltEnd, 4)}${tag}${withoutUnusedBits(tagEnd, 2)}`,
  };
};

const parseScrypt = (text: string): StoredHash | undefined => {
  const match = scryptPattern.exec(text);
  if (match === null) return undefined;
  const [logCost, blockSize, parallelism] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (!isBetween(logCost, 1, scryptLogCostMax) || blockSize < 1 || !isBetween(parallelism, 1, parallelismMax))
    return undefined;
  // RFC 7914 section 2: N is less than 2^(128 * r / 8).
  if (logCost >= 16 * blockSize) return undefined;
  const cost = 2 ** logCost;
  if (128 * cost * blockSize > memoryBytesMax) return undefined;
  return { format: 'scrypt', cost, blockSize, parallelism, salt: bytes(match[4]), tag: bytes(match[5]) };
};

const parsePbkdf2 = (text: string): StoredHash | undefined => {
  const match = pbkdf2Pattern.exec(text);
  if (match === null) return undefined;
  const iterations = Number(match[2]);
  if (!isBetween(iterations, 1, pbkdf2IterationsMax)) return undefined;
  const digest = match[1] as 'sha256' | 'sha512';
  return { format: 'pbkdf2', digest, iterations, salt: bytes(match[3]), tag: bytes(match[4]) };
};

/**
 * Takes a stored hash apart; `undefined` when its format is not known or a cost is beyond its
 * limit.
 */
export const parseStoredHash = (text: string): StoredHash | undefined =>
  parseArgon2id(text) ?? parseBcrypt(text) ?? parseScrypt(text) ?? parsePbkdf2(text);

const isBase64 = (text: string): boolean => bytes(text).toString('base64').replace(/=+$/, '') === text;

/**
 * Whether a readable hash has the usual spelling: numbers without leading zeros (PHC string format),
 * base64 without unused bits that are set (RFC 4648 section 3.5). Another spelling is a sign that a
 * character was lost or changed on the way, so that no password would be right any more. Only the
 * unused bits of bcrypt's salt are ignored: systems are known that set them.
 */
export const hasUsualSpelling = (text: string, stored: StoredHash): boolean => {
  if (stored.format === 'bcrypt') return stored.text.at(-1) === text.at(-1);
  const [saltText = '', tagText = ''] = text.split('$').slice(-2);
  return !/=0\d/.test(text) && isBase64(saltText) && isBase64(tagText);
};

/** Bytes of a password that bcrypt reads. */
const bcryptBytesRead = 72;

/**
 * Whether a hash depends on every byte of a password that has passed its check. Else another text is
 * as right as this one, and this one may not replace it:
 * - bcrypt reads 72 bytes. It repeats the password behind a zero byte, so that `a` and `a\0a` are one.
 * - HMAC pads its key with zero bytes (RFC 2104 section 2), so PBKDF2 and scrypt ignore them at the
 *   end of a password.
 */
export const dependsOnWhole = (text: string, password: string): boolean => {
  const format = parseStoredHash(text)?.format;
  if (format === 'argon2id') return true;
  return !password.includes('\0') && (format !== 'bcrypt' || Buffer.byteLength(password) < bcryptBytesRead);
};

/**
 * Whether a stored hash differs from today's format and cost. Such a hash is replaced at the next
 * login.
 */
export const needsUpgrade = (text: string): boolean => {
  const found = parseStoredHash(text);
  return (
    found?.format !== 'argon2id' ||
    found.memoryKib !== argon2idCost.memoryKib ||
    found.passes !== argon2idCost.passes ||
    found.parallelism !== argon2idCost.parallelism
  );
};
