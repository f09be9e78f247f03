/**
 * What the tables of admin keys and of guard keys have in common.
 * @module
 */
import type { KeysPage, KeyUse } from '../../features/admin-keys/store.ts';
import { type Run, statement } from './transactions.ts';

/** `keyId` of the rules, in SQL. */
export const idOfHash = `encode(substring(hash from 1 for 6), 'hex')`;

/**
 * Reads keys, and records their uses.
 * @param table the table
 * @param ownColumn the column that only this table has, in SQL
 */
export const keyRows = (table: 'admin_key' | 'guard_key', ownColumn: string) => {
  const columns = `${idOfHash} as id, tenant_id as "tenantId", ${ownColumn}, description, created_at as "createdAtMs",
    expires_at as "expiresAtMs", last_used_at as "lastUsedAtMs"`;
  const byHash = statement(`${table}_by_hash`, `select ${columns} from ${table} where hash = $1`);
  const page = statement(
    `${table}_page`,
    `select ${columns} from ${table}
      where ($1::uuid is null or tenant_id = $1::uuid) and ${idOfHash} > $2 order by hash limit $3`,
  );
  const noteUse = statement(
    `${table}_note_use`,
    `update ${table} set last_used_at = $2::bigint
      where hash = $1 and (last_used_at is null or last_used_at <= $2::bigint - $3::bigint)`,
  );
  return <Row extends object>(run: Run) => ({
    findByHash: async (hash: Uint8Array): Promise<Row | undefined> => (await run<Row>('*', byHash(hash)))[0],
    list: ({ tenantId, after = '', rowsMax }: KeysPage): Promise<readonly Row[]> =>
      run<Row>('*', page(tenantId, after, rowsMax)),
    noteUse: async ({ hash, nowMs, everyMs }: KeyUse): Promise<void> => {
      await run('*', noteUse(hash, nowMs, everyMs));
    },
  });
};
