/**
 * Port: hashing of passwords.
 * @module
 */
import type { Secret } from '../secrets/secret.ts';

/**
 * Hashes passwords off the event loop, in a bounded number of lanes with a bounded queue. Each
 * method throws `hashing_busy`, with a `Retry-After` that follows the queue, when no lane would be
 * free in time.
 */
export interface PasswordHasher {
  /**
   * Call before any look-up: under overload most sign-ins are rejected here, and a rejection must
   * be nearly free.
   * @throws {CatalyticError} `hashing_busy` when a password that arrived now would be refused
   */
  admit(): void;
  /** A new hash of the password under today's parameters (PHC string). */
  hash(password: Secret<string>): Promise<string>;
  /**
   * Whether the stored hash, under its own parameters, is of this password. If it is not, the answer
   * takes as long for every kind of hash that an import accepts.
   */
  verify(storedHash: string, password: Secret<string>): Promise<boolean>;
}
