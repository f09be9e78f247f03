/**
 * The programs of a server that copy, move and upgrade its data. They run as the server's user, because two of them start servers.
 * @module
 */
import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { environmentOf } from '../debian-packages.ts';
import { findServer, type PostgresServer, unpackedServer } from './find-server.ts';
import { type Places, usualPlaces } from './places.ts';
import { isOpenToAll, serverUser } from './server-user.ts';

/** The programs; a server must have all of them. */
const names = ['initdb', 'psql', 'pg_dump', 'pg_restore', 'pg_basebackup', 'pg_upgrade'] as const;

/** One of them. */
export type ProgramName = (typeof names)[number];

const missing = ({ root, bin }: PostgresServer): readonly string[] =>
  names.filter((name) => !existsSync(join(root, bin, name)));

/** The server whose programs a link in `PATH` leads to: the link stands alone, its folder has all of them. */
const behindLink = (server: PostgresServer): PostgresServer => {
  const folder = dirname(realpathSync(join(server.root, server.bin, 'postgres')));
  if (server.libraries.length > 0 || (serverUser() !== undefined && !isOpenToAll(folder))) return server;
  return { ...server, root: dirname(folder), bin: folder.slice(dirname(folder).length + 1) };
};

/**
 * Finds a server that has all of its programs, or fetches one. The npm package has none of them, so only Debian's do.
 * @throws Error that says which are missing
 */
export const findServerWithPrograms = (places: Places = usualPlaces): PostgresServer => {
  const found = behindLink(findServer(places));
  if (missing(found).length === 0) return found;
  try {
    const unpacked = unpackedServer(places);
    if (unpacked !== undefined && missing(unpacked).length === 0) return unpacked;
  } catch (error) {
    throw new Error(
      `The PostgreSQL that was found (${found.source}) lacks ${missing(found).join(', ')}, and Debian's packages could not be fetched: ${String(error)}`,
    );
  }
  throw new Error(`The PostgreSQL that was found (${found.source}) lacks ${missing(found).join(', ')}`);
};

/** As {@link findServerWithPrograms}, as an option of `test` and `suite`. @throws Error when `CI` is set and there is none */
export const needsPrograms = (places: Places = usualPlaces): { readonly skip: string | false } => {
  try {
    serverUser();
    findServerWithPrograms(places);
    return { skip: false };
  } catch (error) {
    if (!(error instanceof Error) || process.env['CI'] === 'true') throw error;
    return { skip: error.message };
  }
};

const run = promisify(execFile);

/** Longest time for one program, milliseconds. */
const programMsMax = 300_000;

/**
 * Runs a program of a server to its end.
 * @param cwd a folder that the server's user may write to
 * @param env added to its environment
 * @returns its output
 * @throws Error with its output, when it fails
 */
export const runProgram = async (
  server: PostgresServer,
  name: ProgramName,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<string> => {
  const base = environmentOf(server);
  const path = [join(server.root, server.bin), base['PATH'] ?? ''].join(delimiter);
  try {
    const { stdout } = await run(join(server.root, server.bin, name), [...args], {
      ...serverUser(),
      cwd,
      env: { ...base, HOME: cwd, ...env, PATH: path },
      timeout: programMsMax,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${name} failed: ${stdout}${stderr}`, { cause: error });
  }
};
