/**
 * A look into the database of a service, past the service.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

type Row = Readonly<Record<string, unknown>>;

/** Opens the database of a data folder, does the work, closes it. */
export const withDatabase = <Result>(dataDir: string, work: (database: DatabaseSync) => Result): Result => {
  const database = new DatabaseSync(join(dataDir, 'catalytic.db'), { timeout: 5000 });
  try {
    return work(database);
  } finally {
    database.close();
  }
};

/** All rows of a query. */
export const rowsOf = (dataDir: string, sql: string, ...values: SQLInputValue[]): readonly Row[] =>
  withDatabase(dataDir, (database) => database.prepare(sql).all(...values) as Row[]);

/** Files of a folder whose bytes hold the text. */
export const filesHolding = (folder: string, text: string): readonly string[] =>
  readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(text));
