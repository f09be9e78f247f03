/**
 * The master key: 32 bytes that encrypt the signing keys at rest.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, constants, copyFileSync, linkSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makeDataFolder } from './data-folder.ts';
import { flush, writeFlushed } from './flushed-file.ts';
import { ConfigError } from './read-config.ts';

const keyBytes = 32;

/** The file of the master key in a folder. */
export const masterKeyPath = (folder: string): string => join(folder, 'master.key');

/**
 * Takes the master key from the configuration, else from `DATA_DIR/master.key`.
 * @param configured value of CATALYTIC_MASTER_KEY, base64
 * @returns `undefined` when there is none
 * @throws {ConfigError} when the file is readable by others or does not hold 32 bytes
 */
export const findMasterKey = (configured: string | undefined, dataDir: string): Buffer | undefined => {
  if (configured !== undefined) return decode(configured, 'CATALYTIC_MASTER_KEY');
  return readMasterKeyFile(masterKeyPath(dataDir));
};

/**
 * Takes the group's access to a file of this user away. A volume of Kubernetes with `fsGroup` gives
 * its group access to every file at each mount. A file of another user keeps its mode: its owner
 * has opened it to the group on purpose.
 */
const closeToGroup = (path: string): void => {
  try {
    chmodSync(path, 0o600);
  } catch (error) {
    if (!['EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
};

/**
 * Reads a file that holds a master key.
 * @returns `undefined` when there is no such file
 * @throws {ConfigError} when every user can reach it, or it does not hold 32 bytes
 */
export const readMasterKeyFile = (path: string): Buffer | undefined => {
  let text: string;
  try {
    const mode = statSync(path).mode & 0o777;
    if ((mode & 0o007) !== 0)
      throw new ConfigError(
        `Cannot use ${path}: its mode is ${mode.toString(8)}, others can read it; run "chmod 600 ${path}"`,
      );
    if ((mode & 0o070) !== 0) closeToGroup(path);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`Cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
  return decode(text.trim(), path);
};

/**
 * Gives a complete file its name, unless a file has that name.
 * @throws with the code EEXIST when one has
 */
const giveName = (draft: string, path: string): void => {
  try {
    // Unlike a rename, a link never replaces the key of another process.
    linkSync(draft, path);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(code)) throw error;
    // The file system has no hard links. Another process may find the copy incomplete: it refuses
    // to start.
    copyFileSync(draft, path, constants.COPYFILE_EXCL);
    flush(path);
  }
};

/**
 * Makes `DATA_DIR/master.key` (mode 0600, flushed to disk) unless another process has just made it.
 * The file is complete before it gets its name, so a full disk leaves no partial key.
 * @returns the key that is there now
 * @throws {ConfigError} when it cannot be written
 */
export const createMasterKey = (dataDir: string): Buffer => {
  const path = masterKeyPath(dataDir);
  const draft = `${path}.${process.pid}.new`;
  const key = randomBytes(keyBytes);
  makeDataFolder(dataDir);
  try {
    writeFlushed(draft, masterKeyText(key));
    giveName(draft, path);
    flush(dataDir);
    return key;
  } catch (error) {
    const made = (error as NodeJS.ErrnoException).code === 'EEXIST' ? readMasterKeyFile(path) : undefined;
    if (made !== undefined) return made;
    throw new ConfigError(`Cannot make ${path}: ${(error as Error).message}`, { cause: error });
  } finally {
    rmSync(draft, { force: true });
  }
};

/** Renames `DATA_DIR/master.key`, if there is one, to keep it. @returns its new path */
export const putMasterKeyAside = (dataDir: string, nowMs: number): string | undefined => {
  const path = masterKeyPath(dataDir);
  const aside = `${path}.before-${new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
  try {
    renameSync(path, aside);
    return aside;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError(`Cannot put ${path} aside: ${(error as Error).message}`, { cause: error });
  }
};

/** The content of a master key file. */
export const masterKeyText = (key: Buffer): string => `${key.toString('base64')}\n`;

const decode = (text: string, source: string): Buffer => {
  const key = Buffer.from(text, 'base64');
  if (key.length !== keyBytes)
    throw new ConfigError(`Cannot use ${source}: it does not hold ${keyBytes} bytes in base64`);
  return key;
};
