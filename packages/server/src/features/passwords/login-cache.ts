/**
 * The login cache: after a full check, the same right password of the same account skips the
 * hashing for a while.
 * @module
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { AccountId, TenantId } from '@catalytic/protocol/ids';
import type { Secret } from '../secrets/secret.ts';
import type { PasswordForms } from './rules.ts';

/** The account that passed a full check, its email then, and the stored hash that the check used. */
export interface CheckedAccount {
  readonly tenantId: TenantId;
  readonly accountId: AccountId;
  readonly email: string;
  readonly passwordHash: string;
}

interface Entry {
  readonly account: CheckedAccount;
  readonly mac: Buffer;
  readonly checkedAtMs: number;
}

/** Most remembered logins; about 1.6 kB each. */
const entriesMax = 100_000;

/** The line break separates the two, because no name of a tenant has one. */
const keyOf = (tenantName: string, emailKey: string): string => `${tenantName}\n${emailKey}`;

/**
 * Remembers the HMAC-SHA-256 of right passwords under a random key of this process, with the
 * account and the stored hash of the full check. A recalled login is no verdict: the statement that
 * opens the session compares account, tenant, email and stored hash with the primary database
 * (docs/decisions/0019-remembered-login.md). So no process accepts an old password or a disabled
 * account, whatever its cache holds. The window counts from the full check and is not extended by
 * use. A wrong password is never answered from the cache.
 */
export class LoginCache {
  readonly #windowMs: number;
  readonly #nowMs: () => number;
  readonly #key = randomBytes(32);
  readonly #entries = new Map<string, Entry>();

  /**
   * @param windowSeconds 0 turns the cache off
   * @param nowMs a monotonic clock, milliseconds, because the wall clock may be set back
   */
  constructor(windowSeconds: number, nowMs: () => number) {
    this.#windowMs = windowSeconds * 1000;
    this.#nowMs = nowMs;
  }

  /**
   * The account whose password this was at a full check within the window. `undefined` says nothing
   * about the password.
   */
  recall(tenantName: string, emailKey: string, forms: PasswordForms): CheckedAccount | undefined {
    const key = keyOf(tenantName, emailKey);
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (this.#nowMs() - entry.checkedAtMs >= this.#windowMs) {
      this.#entries.delete(key);
      return undefined;
    }
    return forms.some((form) => timingSafeEqual(entry.mac, this.#mac(form))) ? entry.account : undefined;
  }

  /**
   * Remembers a successful full check. A full cache drops its oldest entry.
   * @param form of which the stored hash was made: another form of the password is not remembered,
   *   because a full check may refuse it
   */
  remember(tenantName: string, emailKey: string, form: Secret<string>, account: CheckedAccount): void {
    if (this.#windowMs === 0) return;
    const key = keyOf(tenantName, emailKey);
    this.#entries.delete(key);
    if (this.#entries.size >= entriesMax) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    this.#entries.set(key, { account, mac: this.#mac(form), checkedAtMs: this.#nowMs() });
  }

  /** Drops an entry that no longer holds. */
  forget(tenantName: string, emailKey: string): void {
    this.#entries.delete(keyOf(tenantName, emailKey));
  }

  #mac(password: Secret<string>): Buffer {
    return createHmac('sha256', this.#key).update(password.reveal()).digest();
  }
}
