/**
 * `catalytic restore`: puts a backup into DATA_DIR, and keeps everything revoked that was revoked
 * since it was made.
 * @module
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, Option as Flag } from 'commander';
import { makeDataFolder } from '../config/data-folder.ts';
import { flush, writeFlushed } from '../config/flushed-file.ts';
import { findMasterKey, masterKeyPath, masterKeyText, readMasterKeyFile } from '../config/master-key.ts';
import type { Config } from '../config/options.ts';
import { ConfigError } from '../config/read-config.ts';
import {
  beginNewHistory,
  carryGuards,
  databasePath,
  examineDatabase,
  lockDataFolder,
  putInPlace,
} from '../deployment.ts';
import type { NewHistory } from '../features/deployment/store.ts';
import { Secret } from '../features/secrets/secret.ts';
import { opensKeys } from '../features/signing-keys/check-master-key.ts';
import { type Manifest, nameOfMoment, openBackup } from './backup-folder.ts';
import { addConfigFlags, configFrom } from './config-flags.ts';
import { counted } from './counted.ts';
import { addHelpExamples } from './help-examples.ts';
import { withStores } from './with-stores.ts';

interface Options {
  readonly key?: string;
  readonly newMasterKey?: boolean;
  readonly json?: boolean;
}

const assertPossible = ({ profile }: Config, { key, newMasterKey }: Options, { parts }: Manifest): void => {
  if (!profile.isBackedUpHere)
    throw new ConfigError(
      'Cannot restore: DATABASE_URL is set; restore PostgreSQL with its own tools and run "catalytic after-restore", or unset it',
    );
  if (key !== undefined && newMasterKey === true)
    throw new ConfigError('Cannot restore: --key and --new-master-key exclude each other; give one');
  if (parts['catalytic.db'] === undefined)
    throw new ConfigError(
      'Cannot restore: this backup holds the master key only; name the backup of the database, and this one with --key',
    );
};

/** The file that `--key` names: a key file, or the one in a backup folder. */
const keyFile = (path: string): string =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? masterKeyPath(path) : path;

/**
 * The master key that the service will use, in this order: configured, named by `--key`, in the
 * backup, in DATA_DIR.
 */
const chooseKey = (config: Config, folder: string, { key }: Options): Buffer | undefined => {
  if (config.masterKey !== undefined) return findMasterKey(config.masterKey, config.dataDir);
  if (key === undefined) return readMasterKeyFile(masterKeyPath(folder)) ?? findMasterKey(undefined, config.dataDir);
  const named = readMasterKeyFile(keyFile(key));
  if (named === undefined) throw new ConfigError(`Cannot restore: there is no master key in ${key}`);
  return named;
};

/**
 * Copies the backup into a staging folder and makes it ready to serve: with a new history, under
 * the master key of the service, and with the guards of the database that it replaces.
 */
const prepare = async (config: Config, folder: string, options: Options, staging: string): Promise<NewHistory> => {
  const copy = join(staging, 'catalytic.db');
  copyFileSync(join(folder, 'catalytic.db'), copy);
  const { signingKeys } = examineDatabase(copy);
  const isKeyNew = options.newMasterKey === true;
  const key = isKeyNew ? undefined : chooseKey(config, folder, options);
  if (!isKeyNew && (key === undefined || !opensKeys(new Secret(key), signingKeys, Date.now())))
    throw new ConfigError(
      `Cannot restore ${folder}: ${key === undefined ? 'there is no master key' : 'its signing keys do not open with this master key'}; name the right one with --key FILE (or CATALYTIC_MASTER_KEY), or, if it is lost, begin with a new one: --new-master-key`,
    );
  if (key !== undefined && config.masterKey === undefined) writeFlushed(masterKeyPath(staging), masterKeyText(key));
  const staged = { ...config, dataDir: staging };
  const history = await withStores(staged, (stores) => beginNewHistory(staged, stores, isKeyNew));
  carryGuards(databasePath(config.dataDir), copy);
  if (existsSync(`${copy}-wal`)) throw new Error('its write-ahead log could not be brought into the file');
  flush(copy);
  return history;
};

interface Restored extends NewHistory {
  /** Folder of the former files; `null`: there were none. */
  readonly aside: string | null;
}

const takeOver = async (config: Config, folder: string, options: Options): Promise<Restored> => {
  const { dataDir } = config;
  makeDataFolder(dataDir);
  const lock = lockDataFolder(dataDir);
  if (lock === undefined)
    throw new ConfigError(`Cannot restore to ${resolve(dataDir)}: a server process uses it; stop it first`);
  // On the same file system, so that a rename puts it in place.
  const staging = mkdtempSync(join(dataDir, 'restoring-'));
  try {
    const history = await prepare(config, folder, options, staging);
    const aside = join(dataDir, `before-restore-${nameOfMoment(Date.now())}`);
    const wasUsed = putInPlace(staging, dataDir, config.masterKey === undefined ? ['master.key'] : [], aside);
    flush(dataDir);
    return { ...history, aside: wasUsed ? resolve(aside) : null };
  } finally {
    rmSync(staging, { recursive: true, force: true });
    lock.close();
  }
};

const restore = async (folder: string, options: Options, command: Command): Promise<void> => {
  const config = configFrom(command);
  const manifest = await openBackup(folder);
  assertPossible(config, options, manifest);
  let restored: Restored;
  try {
    restored = await takeOver(config, folder, options);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`Cannot restore ${folder}: ${(error as Error).message}`, { cause: error });
  }
  const { aside, sessionsEnded, keysKilled } = restored;
  const dataDir = resolve(config.dataDir);
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify({ data_dir: dataDir, made_at: manifest.made_at, aside, sessions_ended: sessionsEnded, keys_killed: keysKilled })}\n`
      : [
          `${dataDir} is as it was at ${manifest.made_at}.`,
          ...(aside === null
            ? []
            : [`What was there before is in ${aside}; remove it when you do not need it any more.`]),
          `A new history has begun: ${counted(sessionsEnded, 'session')} ended, ${counted(keysKilled, 'signing key')} killed, so that nothing revoked since the backup is accepted again.`,
          'Everybody signs in once. Passwords, roles, admin keys and guard keys are those of the backup: what was changed since, change again. Start the service now.',
          '',
        ].join('\n'),
  );
};

/** The command. */
export const restoreCommand = (): Command => {
  const command = new Command('restore')
    .summary('put a backup into DATA_DIR; tokens revoked since stay revoked')
    .argument('<backup>', 'folder that "catalytic backup" made')
    .description(
      'Put a backup into DATA_DIR. Stop the service first. The command checks the backup before it changes anything, keeps the former files aside, and makes every token and session from before invalid, because the backup does not know what was revoked after it.',
    )
    .addOption(
      new Flag('--key <file>', 'the master key, or a backup of it, if it is neither in the backup nor in DATA_DIR'),
    )
    .addOption(new Flag('--new-master-key', 'the master key is lost: go on with a new one'))
    .addOption(new Flag('--json', 'print the result as JSON'))
    .action((folder: string, options: Options, self: Command) => restore(folder, options, self));
  addHelpExamples(command, [
    ['restore ./catalytic-backup-20260131T235959Z', 'on the same machine: the master key is in DATA_DIR'],
    [
      'restore /safe/db --key /safe/key --data-dir ./new',
      'on a new machine, from backups of the database and of the key',
    ],
    ['restore /safe/db --new-master-key', 'when the key is lost'],
  ]);
  return addConfigFlags(command, ['dataDir', 'masterKey', 'signingAlgorithm']);
};
