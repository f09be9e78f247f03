/**
 * A database as text, and back: `pg_dump` and `psql` of the server that tests use.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { environmentOf } from '../debian-packages.ts';
import { findServer } from './find-server.ts';

/** A larger dump than any test's. */
const dumpBytesMax = 64 * 1024 * 1024;

const run = (program: 'pg_dump' | 'psql', args: readonly string[], input?: string): string => {
  const server = findServer();
  // A folder of the PATH may contain links to only some of the programs.
  const file = join(dirname(realpathSync(join(server.root, server.bin, 'postgres'))), program);
  if (!existsSync(file)) throw new Error(`PostgreSQL (${server.source}) has no ${program}`);
  return execFileSync(file, args, {
    encoding: 'utf8',
    env: environmentOf(server),
    stdio: ['pipe', 'pipe', 'pipe'],
    maxBuffer: dumpBytesMax,
    ...(input === undefined ? {} : { input }),
  });
};

/** The contents of a database as SQL. @param url of a superuser @throws Error when there is no `pg_dump` */
export const dumpDatabase = (url: string): string => run('pg_dump', ['--no-owner', url]);

/** Fills an empty database. @param url of its owner @throws Error with the first statement that fails */
export const restoreDatabase = (url: string, dump: string): void => {
  run('psql', ['--quiet', '--no-psqlrc', '--set=ON_ERROR_STOP=1', url], dump);
};
