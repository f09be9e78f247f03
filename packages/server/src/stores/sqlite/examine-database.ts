/**
 * Checks whether a database file is intact, and reports its contents.
 * @module
 */
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { StoredSigningKey } from '../../features/signing-keys/store.ts';
import { type SigningKeyRow, toKey } from '../signing-key-row.ts';
import { databasePath, newestMigration } from './database.ts';
import { explain } from './explain.ts';

/** The contents of a database. */
export interface DatabaseContents {
  readonly generation: number;
  readonly accounts: number;
  readonly sessions: number;
  readonly signingKeys: readonly StoredSigningKey[];
}

/**
 * Up to this size a start checks the whole file, in about a tenth of a second. In a larger file it
 * checks the tables on which the promise of revocation depends.
 */
const wholeBytesMax = 64 * 2 ** 20;
const vitalTables = ['deployment', 'journal', 'member', 'signing_key', 'tenant'];
/** One damaged page causes hundreds of complaints, so only the first one is shown. */
const complaintsMax = 1;

const complain = (database: DatabaseSync, check: string): void => {
  const [found] = Object.values(database.prepare(`pragma ${check}`).get() ?? {});
  // A heading, then one fault on each line.
  if (found !== 'ok') throw new Error(`it is damaged (${String(found).split('\n').at(-1)})`);
};

const readKeys = (database: DatabaseSync): readonly StoredSigningKey[] => {
  const rows = database
    .prepare('select kid, algorithm, public_jwk, private_box, created_at, activates_at, retires_at from signing_key')
    .all();
  return (rows as unknown as readonly SigningKeyRow[]).map(toKey);
};

/** Opens a file for reading only, and explains failures. */
const look = <Result>(path: string, see: (database: DatabaseSync) => Result): Result => {
  try {
    const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
    try {
      return see(database);
    } finally {
      database.close();
    }
  } catch (error) {
    throw new Error(explain(error), { cause: error });
  }
};

/**
 * Reads every page of a database file and checks every index against its table.
 * @throws Error when the file is damaged, is not a database of the service, or has a newer version
 */
export const examineDatabase = (path: string): DatabaseContents =>
  look(path, (database) => {
    complain(database, `integrity_check(${complaintsMax})`);
    const number = (sql: string): number => Number(Object.values(database.prepare(sql).get() ?? {})[0]);
    const migration = number('select max(number) from migration');
    if (migration > newestMigration())
      throw new Error(
        `it has migration ${migration}, this version knows ${newestMigration()}; use the version that wrote it`,
      );
    return {
      generation: number('select generation from deployment'),
      accounts: number('select count(*) from account'),
      sessions: number('select count(*) from session where ended_at is null'),
      signingKeys: readKeys(database),
    };
  });

/**
 * Checks the structure of the database of a data folder before it is served. A service that wrote
 * to a damaged file would damage it further.
 * @returns its signing keys; `undefined` when there is no database yet
 * @throws Error that says what to do
 */
export const glanceAtDatabase = (dataDir: string): readonly StoredSigningKey[] | undefined => {
  const path = databasePath(dataDir);
  const { size } = statSync(path, { throwIfNoEntry: false }) ?? { size: 0 };
  if (size === 0) return undefined;
  return look(path, (database) => {
    const tables = database.prepare("select name from sqlite_schema where type = 'table'").all();
    const vital = tables.map(({ name }) => String(name)).filter((name) => vitalTables.includes(name));
    const checks = size <= wholeBytesMax ? [complaintsMax] : vital;
    try {
      for (const check of checks) complain(database, `quick_check(${check})`);
    } catch (error) {
      throw new Error(
        `catalytic.db: ${explain(error)}; run "catalytic restore BACKUP", which keeps the damaged file aside`,
        { cause: error },
      );
    }
    return vital.includes('signing_key') ? readKeys(database) : [];
  });
};
