/**
 * The master key: 32 bytes that encrypt the signing keys at rest.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from './read-config.ts';

const keyBytes = 32;

/**
 * Takes the master key from the configuration, else from `DATA_DIR/master.key`, which is created (mode 0600, flushed to disk) when it
 * does not exist.
 * @param configured value of CATALYTIC_MASTER_KEY, base64
 * @param dataDir the data folder; must exist
 * @throws {ConfigError} when the file is readable by others or does not hold 32 bytes
 */
export const loadMasterKey = (configured: string | undefined, dataDir: string): Buffer => {
  if (configured !== undefined) return decode(configured, 'CATALYTIC_MASTER_KEY');
  const path = join(dataDir, 'master.key');
  createOnce(path);
  const mode = statSync(path).mode & 0o777;
  if ((mode & 0o077) !== 0)
    throw new ConfigError(
      `Cannot use ${path}: its mode is ${mode.toString(8)}, others can read it; run "chmod 600 ${path}"`,
    );
  return decode(readFileSync(path, 'utf8').trim(), path);
};

const decode = (text: string, source: string): Buffer => {
  const key = Buffer.from(text, 'base64');
  if (key.length !== keyBytes)
    throw new ConfigError(`Cannot use ${source}: it does not hold ${keyBytes} bytes in base64`);
  return key;
};

const createOnce = (path: string): void => {
  let file: number;
  try {
    file = openSync(path, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw error;
  }
  try {
    writeSync(file, `${randomBytes(keyBytes).toString('base64')}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
};
