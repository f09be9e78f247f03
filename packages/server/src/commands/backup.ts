/**
 * `catalytic backup`: a consistent copy of the database while the service runs, and the master key,
 * together or apart.
 * @module
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Command, Option as Flag } from 'commander';
import { flush, writeFlushed } from '../config/flushed-file.ts';
import { findMasterKey, masterKeyPath, masterKeyText } from '../config/master-key.ts';
import type { Config } from '../config/options.ts';
import { ConfigError } from '../config/read-config.ts';
import { copyDatabase, databasePath, examineDatabase } from '../deployment.ts';
import { Secret } from '../features/secrets/secret.ts';
import { opensKeys } from '../features/signing-keys/check-master-key.ts';
import { type Manifest, nameOfMoment, type PartName, seal } from './backup-folder.ts';
import { addConfigFlags, configFrom } from './config-flags.ts';
import { counted } from './counted.ts';
import { addHelpExamples } from './help-examples.ts';

interface Options {
  readonly to?: string;
  readonly withKey?: boolean;
  readonly keyOnly?: boolean;
  readonly json?: boolean;
}

/** Smaller databases are copied within a second, so their progress is not shown. */
const progressBytesMin = 64 * 2 ** 20;
const progressEveryMs = 1000;
const mib = 2 ** 20;

const assertRoom = (folder: string, bytes: number): void => {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize > bytes) return;
  throw new ConfigError(
    `Cannot back up to ${folder}: the database has ${Math.ceil(bytes / mib)} MiB and ${Math.floor((bavail * bsize) / mib)} MiB are free there; make room, or name another disk with --to`,
  );
};

const tellProgress = (bytes: number): ((copied: number, total: number) => void) => {
  let toldMs = performance.now();
  return (copied, total) => {
    if (bytes < progressBytesMin || performance.now() - toldMs < progressEveryMs) return;
    toldMs = performance.now();
    process.stderr.write(`copied ${Math.floor((copied / total) * 100)} % of ${Math.ceil(bytes / mib)} MiB\n`);
  };
};

/** The number of rows in the copy. */
interface Found {
  readonly accounts: number;
  readonly sessions: number;
}

/** Copies the database into the folder and checks that the copy can be restored. */
const putDatabase = async (config: Config, key: Secret<Buffer> | undefined, folder: string): Promise<Found> => {
  const source = databasePath(config.dataDir);
  // The copy takes in what the write-ahead log holds, so it has at most both sizes.
  const size = statSync(source).size + (statSync(`${source}-wal`, { throwIfNoEntry: false })?.size ?? 0);
  assertRoom(folder, size);
  const copy = join(folder, 'catalytic.db' satisfies PartName);
  await copyDatabase(config.dataDir, copy, tellProgress(size));
  const { signingKeys, accounts, sessions } = examineDatabase(copy);
  if (key !== undefined && !opensKeys(key, signingKeys, Date.now()))
    throw new ConfigError(
      `Cannot back up ${config.dataDir}: its signing keys do not open with the master key, so that a restart would fail; set CATALYTIC_MASTER_KEY as the service has it, or put the right master.key back`,
    );
  return { accounts, sessions };
};

const assertPossible = ({ profile, dataDir }: Config, { withKey, keyOnly }: Options): void => {
  if (withKey === true && keyOnly === true)
    throw new ConfigError('Cannot back up: --with-key and --key-only exclude each other; give one');
  if (keyOnly === true) return;
  if (!profile.isBackedUpHere)
    throw new ConfigError(
      'Cannot back up: DATABASE_URL is set, and PostgreSQL has its own tools (pg_basebackup, pg_dump); after restoring run "catalytic after-restore". The master key: "catalytic backup --key-only"',
    );
  if (!existsSync(databasePath(dataDir)))
    throw new ConfigError(
      `Cannot back up: there is no database in ${resolve(dataDir)}; name the folder with --data-dir`,
    );
};

/** Makes the backup under a temporary name and renames it when it is complete. */
const make = async (config: Config, options: Options, target: string): Promise<Manifest & Partial<Found>> => {
  const nowMs = Date.now();
  const key = findMasterKey(config.masterKey, config.dataDir);
  const isKeyIn = options.withKey === true || options.keyOnly === true;
  if (isKeyIn && key === undefined)
    throw new ConfigError(
      `Cannot back up the master key: there is no ${masterKeyPath(config.dataDir)}, and CATALYTIC_MASTER_KEY is not set`,
    );
  mkdirSync(dirname(target), { recursive: true });
  const draft = mkdtempSync(`${target}.unfinished-`);
  try {
    const names: PartName[] = [];
    let found: Found | undefined;
    if (options.keyOnly !== true) {
      found = await putDatabase(config, key === undefined ? undefined : new Secret(key), draft);
      names.push('catalytic.db');
    }
    if (isKeyIn && key !== undefined) {
      writeFlushed(join(draft, 'master.key' satisfies PartName), masterKeyText(key));
      names.push('master.key');
    }
    const manifest = await seal(draft, names, nowMs);
    // A rename would replace an empty folder silently.
    if (existsSync(target)) throw new Error(`${target} exists by now`);
    renameSync(draft, target);
    flush(dirname(target));
    return { ...manifest, ...found };
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  }
};

const sentences = (target: string, { parts, accounts, sessions }: Manifest & Partial<Found>): readonly string[] => {
  const restore = `Restore with: catalytic restore ${target}`;
  if (parts['catalytic.db'] === undefined)
    return [
      `The master key is in ${target}. Whoever has it and the database can sign tokens: keep them in different places.`,
      `Restore with: catalytic restore BACKUP --key ${target}`,
    ];
  const what = `The database is in ${target}: ${counted(accounts ?? 0, 'account')}, ${counted(sessions ?? 0, 'session')}, ${parts['catalytic.db'].bytes} bytes, checked.`;
  if (parts['master.key'] === undefined)
    return [
      what,
      'The master key is not in it. Back it up once, to another place: catalytic backup --key-only --to FOLDER',
      restore,
    ];
  return [
    what,
    'WARNING: the master key is in it too. Whoever has this folder has everything and can sign tokens as this service: encrypt it, or keep the key apart (--key-only).',
    restore,
  ];
};

const backup = async (options: Options, command: Command): Promise<void> => {
  const config = configFrom(command);
  assertPossible(config, options);
  const target = resolve(options.to ?? `catalytic-backup-${nameOfMoment(Date.now())}`);
  if (existsSync(target))
    throw new ConfigError(`Cannot back up to ${target}: it exists, and a backup never overwrites; name a new folder`);
  const startMs = performance.now();
  let made: Manifest & Partial<Found>;
  try {
    made = await make(config, options, target);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`Cannot back up to ${target}: ${(error as Error).message}; nothing was left there`, {
      cause: error,
    });
  }
  const seconds = Number(((performance.now() - startMs) / 1000).toFixed(2));
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify({ folder: target, seconds, ...made })}\n`
      : `${sentences(target, made).join('\n')}\n`,
  );
};

/** The command. */
export const backupCommand = (): Command => {
  const command = new Command('backup')
    .summary('copy the SQLite database, or the master key, while the service runs')
    .description(
      'Copy the SQLite database in DATA_DIR as it is at this moment, while the service runs, into a new folder, and check the copy. The master key, which seals the signing keys, is copied only with --with-key or --key-only.',
    )
    .addOption(new Flag('--to <folder>', 'the folder to make [default ./catalytic-backup-TIME]'))
    .addOption(
      new Flag(
        '--with-key',
        'copy the master key as well: the folder then restores everything, and gives everything to a thief',
      ),
    )
    .addOption(new Flag('--key-only', 'copy only the master key, to be kept in another place'))
    .addOption(new Flag('--json', 'print the result as JSON'))
    .action((options: Options, self: Command) => backup(options, self));
  addHelpExamples(command, [
    ['backup', 'the database, into a new folder here; the service may run'],
    ['backup --key-only --to /safe/key', 'the master key, once, to another place'],
    ['backup --with-key --to /encrypted/all', 'both together'],
    ['backup --json | jq -r .folder', 'for a script'],
  ]);
  return addConfigFlags(command, ['dataDir', 'masterKey']);
};
