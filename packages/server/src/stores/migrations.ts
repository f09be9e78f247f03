/**
 * Migrations, and which of them a version must know in order to use a database.
 *
 * The ledger has two tables. `migration` lists migrations that a version must know. `expansion`
 * lists migrations that the version before need not know, because they break none of its processes:
 * these continue, and can be restarted, while the next version serves beside them, and it can also
 * take over again. The next migration moves the rows of `expansion` to `migration`: no process may
 * be two versions behind.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file of migrations. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  /** Whether it breaks processes of the version before, as its first line says. */
  readonly isBreaking: boolean;
}

/** Numbers of the migrations that a database has. */
export interface Ledger {
  readonly migration: readonly number[];
  readonly expansion: readonly number[];
}

/** Reads a folder of migrations, in their order. */
export const readMigrations = (folder: string): readonly Migration[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => {
      const sql = readFileSync(join(folder, name), 'utf8');
      return { number: Number.parseInt(name, 10), name, sql, isBreaking: !sql.startsWith('-- Breaking: no') };
    });

/**
 * The migrations that a database lacks.
 * @throws when the database has a migration that this version must know and does not
 */
export const missingFrom = (
  migrations: readonly Migration[],
  { migration, expansion }: Ledger,
): readonly Migration[] => {
  const newest = Math.max(0, ...migration);
  const last = migrations.at(-1)?.number ?? 0;
  if (newest > last)
    throw new Error(
      `Cannot use this database: it has migration ${newest}, this version knows ${last}; start the newer version`,
    );
  return migrations.filter(({ number }) => !migration.includes(number) && !expansion.includes(number));
};

/**
 * The table of the ledger for a migration. A new database has no processes of the version before.
 */
export const tableFor = ({ isBreaking }: Migration, { migration }: Ledger): keyof Ledger =>
  isBreaking || migration.length === 0 ? 'migration' : 'expansion';
