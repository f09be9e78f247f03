/**
 * Port: who hashes passwords.
 * @module
 */
import type { Secret } from '../secrets/secret.ts';

/**
 * Hashes passwords off the event loop, in a bounded number of lanes with a bounded queue.
 * All throw `hashing_busy` with an honest `Retry-After` when a lane would not be free in time.
 */
export interface PasswordHasher {
  /**
   * Asked before anything is looked up for a password: in a storm most are refused, and what they cost is missing to the others.
   * @throws {CatalyticError} `hashing_busy` when a password that came now would be refused
   */
  admit(): void;
  /** A new hash of the password under today's parameters (PHC string). */
  hash(password: Secret<string>): Promise<string>;
  /** Whether the stored hash, under its own parameters, is of this password. */
  verify(storedHash: string, password: Secret<string>): Promise<boolean>;
}
