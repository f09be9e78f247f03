/**
 * How admin keys are named in the audit trail.
 * @module
 */

/**
 * Names an admin key by the beginning of its hash: enough to tell keys apart, and useless to anyone
 * looking for the key itself.
 * @param hash SHA-256 of the key
 */
export const adminKeyId = (hash: Uint8Array): string => Buffer.from(hash.subarray(0, 6)).toString('hex');
