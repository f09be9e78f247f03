/**
 * An initialised data folder to copy: `initdb` takes one to two seconds, a copy a twentieth of that.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { environmentOf } from '../debian-packages.ts';
import type { PostgresServer } from './find-server.ts';
import { giveAway, isOpenToAll, serverTmpdir, serverUser } from './server-user.ts';

/** The only account of a test server. */
export const superuser = 'postgres';

/** A server whose programs its user may run. They are copied where the cache is below a folder that only root may enter. */
export const reachable = (server: PostgresServer, into: string): PostgresServer => {
  if (server.source === 'installed' || serverUser() === undefined || isOpenToAll(server.root)) return server;
  const root = join(into, 'programs');
  cpSync(server.root, root, { recursive: true, verbatimSymlinks: true });
  return { ...server, root };
};

const initialise = (server: PostgresServer, template: string): void => {
  const work = mkdtempSync(join(serverTmpdir(), 'catalytic-initdb-'));
  try {
    chmodSync(work, 0o755);
    const user = serverUser();
    const { root, bin, libraries } = reachable(server, work);
    const mine = join(work, 'mine');
    mkdirSync(mine, { mode: 0o700 });
    writeFileSync(join(mine, 'password'), randomBytes(18).toString('base64url'), { mode: 0o600 });
    giveAway(mine, user);
    execFileSync(
      join(root, bin, 'initdb'),
      [
        ...['-D', join(mine, 'data'), '-U', superuser, '--pwfile', join(mine, 'password'), '--auth=scram-sha-256'],
        ...['--encoding=UTF8', '--no-locale', '--no-sync', '--no-instructions'],
      ],
      { cwd: work, env: environmentOf({ root, libraries }), stdio: ['ignore', 'ignore', 'pipe'], ...user },
    );
    const copy = mkdtempSync(`${template}-`);
    cpSync(mine, copy, { recursive: true });
    // Another test file may have been faster.
    if (existsSync(template)) rmSync(copy, { recursive: true });
    else renameSync(copy, template);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
};

/** Copies the data folder of a stopped server to a path that does not exist yet; the server's user owns the copy. */
export const copyDataFolder = (from: string, to: string): void => {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  chmodSync(to, 0o700);
  giveAway(to, serverUser());
};

/**
 * Makes a data folder in `base`, which the server's user owns.
 * @param cache folder that keeps templates
 * @returns the folder, and the password of {@link superuser}
 */
export const makeDataFolder = (
  server: PostgresServer,
  cache: string,
  base: string,
): { readonly dataDir: string; readonly password: string } => {
  // A user may not read the files of another.
  const template = join(cache, `template-${server.version.replace(/[^\w.]+/g, '-')}-${process.getuid?.() ?? 0}`);
  mkdirSync(cache, { recursive: true });
  if (!existsSync(template)) initialise(server, template);
  const dataDir = join(base, 'data');
  copyDataFolder(join(template, 'data'), dataDir);
  return { dataDir, password: readFileSync(join(template, 'password'), 'utf8') };
};
