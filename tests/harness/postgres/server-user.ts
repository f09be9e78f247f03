/**
 * The user that a server runs as: PostgreSQL refuses to run as root.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { chownSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Numbers of a user and its group. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** First of these that exists; both are on every Linux that has packages for servers. */
const candidates = ['postgres', 'nobody'];

/** The user for the server; `undefined`: the user of this process. */
export const serverUser = (): ServerUser | undefined => {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of candidates)
    try {
      const read = (flag: string): number =>
        Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }));
      return { uid: read('-u'), gid: read('-g') };
    } catch {
      // The next one.
    }
  throw new Error(
    `PostgreSQL does not run as root, and there is no user ${candidates.join(' or ')}: run the tests as another user`,
  );
};

/** Whether every user may enter the folder and all folders above it. */
export const isOpenToAll = (folder: string): boolean =>
  (statSync(folder).mode & 0o005) === 0o005 && (dirname(folder) === folder || isOpenToAll(dirname(folder)));

/** Folder for temporary folders that the server's user may enter. */
export const serverTmpdir = (): string => (serverUser() === undefined || isOpenToAll(tmpdir()) ? tmpdir() : '/tmp');

/** Gives a folder and its contents to the server's user. */
export const giveAway = (path: string, user: ServerUser | undefined): void => {
  if (user === undefined) return;
  chownSync(path, user.uid, user.gid);
  if (!statSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) giveAway(join(path, name), user);
};
