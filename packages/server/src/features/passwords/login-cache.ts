/**
 * The login cache: after a full check, the same right password of the same account skips the hashing for a while.
 * @module
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { AccountId } from '@catalytic/protocol/ids';
import type { Secret } from '../secrets/secret.ts';

interface Entry {
  readonly storedHash: string;
  readonly mac: Buffer;
  readonly checkedAtMs: number;
}

/** Most remembered logins; about 400 bytes each. */
const entriesMax = 100_000;

/**
 * Remembers HMAC-SHA-256 of right passwords under a random key of this process, valid only with the stored hash string that the same
 * login read from the primary: after a password change or a hash upgrade no process can honour an old entry, whatever it remembers.
 * The window counts from the full check and is not extended by use. A wrong password is never answered from here.
 */
export class LoginCache {
  readonly #windowMs: number;
  readonly #nowMs: () => number;
  readonly #key = randomBytes(32);
  readonly #entries = new Map<AccountId, Entry>();

  /**
   * @param windowSeconds 0 turns the cache off
   * @param nowMs a monotonic clock, milliseconds: the wall clock may be set back
   */
  constructor(windowSeconds: number, nowMs: () => number) {
    this.#windowMs = windowSeconds * 1000;
    this.#nowMs = nowMs;
  }

  /** Whether this password passed a full check against this stored hash within the window. `false` says nothing. */
  has(account: AccountId, storedHash: string, password: Secret<string>): boolean {
    const entry = this.#entries.get(account);
    if (entry === undefined) return false;
    if (entry.storedHash !== storedHash || this.#nowMs() - entry.checkedAtMs >= this.#windowMs) {
      this.#entries.delete(account);
      return false;
    }
    return timingSafeEqual(entry.mac, this.#mac(password));
  }

  /** Remembers a full success. The oldest entry goes when there are too many. */
  remember(account: AccountId, storedHash: string, password: Secret<string>): void {
    if (this.#windowMs === 0) return;
    this.#entries.delete(account);
    if (this.#entries.size >= entriesMax) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    this.#entries.set(account, { storedHash, mac: this.#mac(password), checkedAtMs: this.#nowMs() });
  }

  #mac(password: Secret<string>): Buffer {
    return createHmac('sha256', this.#key).update(password.reveal()).digest();
  }
}
