/**
 * The cost of argon2id. The service hashes passwords with it; an importer that does so too spares each
 * account an upgrade at its first login.
 * @module
 */

/** Cost of argon2id (RFC 9106 section 3.1). */
export interface Argon2idCost {
  /** Memory, KiB. */
  readonly memoryKib: number;
  /** Passes over the memory. */
  readonly passes: number;
  /** Lanes. */
  readonly parallelism: number;
}

/**
 * What the service hashes with: OWASP's floor for argon2id (Password Storage Cheat Sheet), 19 MiB,
 * 2 passes, 1 lane.
 */
export const argon2idCost: Argon2idCost = { memoryKib: 19_456, passes: 2, parallelism: 1 };

/**
 * The beginning of an argon2id hash as a PHC string; salt and tag follow, each after a `$`, in
 * base64 without padding.
 * @see https://github.com/P-H-C/phc-string-format
 */
export const argon2idPrefix = ({ memoryKib, passes, parallelism }: Argon2idCost): string =>
  `$argon2id$v=19$m=${memoryKib},t=${passes},p=${parallelism}`;
