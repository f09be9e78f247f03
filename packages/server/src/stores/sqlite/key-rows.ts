/**
 * What the tables of admin keys and of guard keys have in common.
 * @module
 */
import type { DatabaseSync } from 'node:sqlite';
import type { KeysPage, KeyUse } from '../../features/admin-keys/store.ts';
import { readRow, readRows } from './unavailable.ts';

/** A table of keys. */
export type KeyTable = 'admin_key' | 'guard_key';

/** `keyId` of the rules, in SQL. */
export const idOfHash = 'lower(hex(substr(hash, 1, 6)))';

/**
 * Reads keys.
 * @param ownColumn the column that only this table has, in SQL
 */
export const keyReader = <Row>(reader: DatabaseSync, table: KeyTable, ownColumn: string) => {
  const columns = `${idOfHash} as id, tenant_id as tenantId, ${ownColumn}, description, created_at as createdAtMs,
    expires_at as expiresAtMs, last_used_at as lastUsedAtMs`;
  const byHash = reader.prepare(`select ${columns} from ${table} where hash = ?`);
  const page = reader.prepare(
    `select ${columns} from ${table}
      where (:tenant is null or tenant_id = :tenant) and ${idOfHash} > :after order by hash limit :rowsMax`,
  );
  return {
    byHash: (hash: Uint8Array): Row | undefined => readRow<Row>(byHash, hash),
    list: ({ tenantId, after = '', rowsMax }: KeysPage): readonly Row[] =>
      readRows<Row>(page, { tenant: tenantId, after, rowsMax }),
  };
};

/** Records the uses of keys. */
export const keyUseWriter = (database: DatabaseSync, table: KeyTable): ((use: KeyUse) => void) => {
  const use = database.prepare(
    `update ${table} set last_used_at = :now
      where hash = :hash and (last_used_at is null or last_used_at <= :now - :every)`,
  );
  return ({ hash, nowMs, everyMs }) => void use.run({ hash, now: nowMs, every: everyMs });
};
