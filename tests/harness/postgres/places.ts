/**
 * Where tests look for PostgreSQL.
 * @module
 */
import { fileURLToPath } from 'node:url';

/** Where to look. */
export interface Places {
  /** A `PATH` with the server, and with the programs that fetch one. */
  readonly path: string;
  /** Folder with one folder a major version, as Debian has it. */
  readonly installed: string;
  /** Folder that keeps fetched servers. */
  readonly cache: string;
}

/** Where a test looks. */
export const usualPlaces: Places = {
  path: process.env['PATH'] ?? '',
  installed: '/usr/lib/postgresql',
  cache: fileURLToPath(new URL('../../../.cache/postgresql', import.meta.url)),
};
