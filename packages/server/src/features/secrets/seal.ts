/**
 * Authenticated encryption of small secrets at rest: AES-256-GCM (NIST SP 800-38D) with a random
 * 96-bit nonce. Layout of a sealed box: nonce (12 bytes) ‖ tag (16 bytes) ‖ ciphertext.
 * @module
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const nonceBytes = 12;
const tagBytes = 16;

/**
 * Encrypts `plain` under `key`.
 * @param key 32 bytes
 * @param context bound to the box as associated data, so that a box moved to another row does not
 *   open
 */
export const seal = (key: Buffer, plain: Buffer, context: string): Buffer => {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]);
};

/**
 * Decrypts a box made by {@link seal}. Throws when the key, the context or a bit of the box
 * differs.
 */
export const unseal = (key: Buffer, box: Uint8Array, context: string): Buffer => {
  const bytes = Buffer.from(box.buffer, box.byteOffset, box.byteLength);
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
  return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]);
};

/** Derives a key from a secret that has full entropy already (HKDF-SHA-256, RFC 5869). */
export const deriveKey = (secret: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), purpose, 32));
