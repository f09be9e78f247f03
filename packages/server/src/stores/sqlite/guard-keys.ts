/** Guard keys in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { GuardKeyStore, ListedGuardKey } from '../../features/guard-keys/store.ts';
import { keyReader } from './key-rows.ts';
import type { Writer } from './writer.ts';

/** @param reader connection for reading */
export const sqliteGuardKeys = (reader: DatabaseSync, writer: Writer): GuardKeyStore => {
  const write = writer.of('guardKeys');
  const { byHash, list } = keyReader<ListedGuardKey>(reader, 'guard_key', 'guards_max as guardsMax');
  return {
    add: write('add'),
    revoke: write('revoke'),
    noteUse: write('noteUse'),
    findByHash: async (hash) => {
      const row = byHash(hash);
      return row === undefined ? undefined : { ...row };
    },
    list: async (page) => list(page).map((row) => ({ ...row })),
  };
};
