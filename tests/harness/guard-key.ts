/**
 * Guard keys for tests, entered past the service: making one on the command line costs a process.
 * @module
 */
import { createHash, randomBytes } from 'node:crypto';
import { withDatabase } from './database.ts';

/** A new key, and the hash under which the service knows it. */
export const newGuardKey = (): { readonly key: string; readonly hash: Buffer } => {
  const key = `cgk_${randomBytes(16).toString('base64url')}`;
  return { key, hash: createHash('sha256').update(key).digest() };
};

/** How a key is limited. */
export interface GuardKeyLimits {
  /** Name of the only tenant whose revocations it is given. @default all */
  readonly tenant?: string;
  /** Most strict guards at once. @default 100 */
  readonly guardsMax?: number;
  /** From when on it is refused, milliseconds since 1970. @default never */
  readonly expiresAtMs?: number;
}

/** Enters a key into the SQLite database of a data folder. */
export const addGuardKey = (dataDir: string, { tenant, guardsMax = 100, expiresAtMs }: GuardKeyLimits = {}): string => {
  const { key, hash } = newGuardKey();
  withDatabase(dataDir, (database) => {
    database
      .prepare(
        `insert into guard_key (hash, tenant_id, description, guards_max, expires_at, created_at)
         values (?, (select id from tenant where name = ?), 'for a test', ?, ?, 0)`,
      )
      .run(hash, tenant ?? null, guardsMax, expiresAtMs ?? null);
    database.exec('update deployment set guard_keys_revision = guard_keys_revision + 1');
  });
  return key;
};
