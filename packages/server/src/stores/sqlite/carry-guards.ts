/**
 * Brings the guards of a database into the one that takes its place.
 * @module
 */
import { existsSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { openDatabase } from './database.ts';

const readGuards = (path: string): readonly Record<string, SQLInputValue>[] => {
  if (!existsSync(path)) return [];
  try {
    const former = new DatabaseSync(path, { readOnly: true });
    try {
      const rows = former.prepare("select id, lease_ms, key, name, kinds from member where kind = 'guard'").all();
      return rows as Record<string, SQLInputValue>[];
    } finally {
      former.close();
    }
  } catch {
    return [];
  }
};

/**
 * Copies the rows of guards as leaving, so that revocations wait until their leases have ended.
 * @param formerPath the database that is replaced. If it cannot be read, or is of a version without
 *   guards, nothing is copied: the row for unknown guards stands for them
 * @param path the database that replaces it, which no process uses
 */
export const carryGuards = (formerPath: string, path: string): void => {
  const guards = readGuards(formerPath);
  if (guards.length === 0) return;
  const database = openDatabase(path);
  try {
    const insert = database.prepare(
      `insert into member (id, state, lease_ms, kind, key, name, kinds)
       values (:id, 'leaving', :lease_ms, 'guard', :key, :name, :kinds) on conflict (id) do nothing`,
    );
    database.exec('begin immediate');
    for (const guard of guards) insert.run(guard);
    database.exec('commit');
  } finally {
    database.close();
  }
};
