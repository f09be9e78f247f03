/** Admin keys in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { AdminKeyStore, AdminScope, ListedAdminKey } from '../../features/admin-keys/store.ts';
import { keyReader } from './key-rows.ts';
import type { Writer } from './writer.ts';

type Row = Omit<ListedAdminKey, 'scopes'> & { readonly scopes: string };

const toKey = (row: Row): ListedAdminKey => ({ ...row, scopes: JSON.parse(row.scopes) as readonly AdminScope[] });

/** @param reader connection for reading */
export const sqliteAdminKeys = (reader: DatabaseSync, writer: Writer): AdminKeyStore => {
  const write = writer.of('adminKeys');
  const { byHash, list } = keyReader<Row>(reader, 'admin_key', 'scopes');
  return {
    add: write('add'),
    revoke: write('revoke'),
    noteUse: write('noteUse'),
    findByHash: async (hash) => {
      const row = byHash(hash);
      return row === undefined ? undefined : toKey(row);
    },
    list: async (page) => list(page).map(toKey),
  };
};
