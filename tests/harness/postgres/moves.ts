/**
 * Moves the data of one server to another as an operator does by hand, with the programs that come with PostgreSQL.
 * @module
 */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Postgres, type PostgresOptions, startPostgres } from '../postgres.ts';
import { waitUntil } from '../wait-until.ts';
import { findServerWithPrograms, type ProgramName, runProgram } from './programs.ts';
import { query, type TextRow } from './query.ts';
import { giveAway, serverTmpdir, serverUser } from './server-user.ts';
import { createServiceDatabase, serviceDatabase, serviceDatabaseUrl } from './service-database.ts';
import { copyDataFolder } from './template.ts';

/** Password of the superuser in every cluster: `pg_upgrade` copies it. */
const superuserPassword = 'superuser';

/** A server, and the database of a service in it. */
export interface Home {
  readonly server: Postgres;
  /** As the role that owns the database. */
  readonly url: string;
  /** As the superuser. */
  readonly adminUrl: string;
  /** Runs SQL in the database as the superuser. */
  sql(text: string): Promise<readonly TextRow[]>;
  /** The same in the database `postgres`. */
  outside(text: string): Promise<readonly TextRow[]>;
}

/** A folder that the server's user may write to; the caller removes it. */
export const makeServerFolder = (): string => {
  const folder = mkdtempSync(join(serverTmpdir(), 'catalytic-moves-'));
  giveAway(folder, serverUser());
  return folder;
};

/** Longest time for one statement, milliseconds. */
const sqlMsMax = 60_000;

const settings = { max_connections: 100 };

const start = async (isOwnCluster: boolean, more: PostgresOptions['settings']): Promise<Home> => {
  const server = await startPostgres({
    programs: findServerWithPrograms(),
    settings: { ...settings, ...more },
    isOwnCluster,
  });
  await server.sql(`alter role postgres password '${superuserPassword}'`);
  const at = (database: string): string =>
    `postgres://postgres:${superuserPassword}@127.0.0.1:${server.port}/${database}`;
  const adminUrl = at(serviceDatabase);
  return {
    server,
    url: serviceDatabaseUrl(server.port),
    adminUrl,
    sql: (text) => query(adminUrl, text, sqlMsMax),
    outside: (text) => query(at('postgres'), text, sqlMsMax),
  };
};

/** Starts a server with an empty database. */
export const startHome = async (more: PostgresOptions['settings'] = {}): Promise<Home> => {
  const home = await start(false, more);
  await createServiceDatabase(home.outside);
  return home;
};

/** Starts an empty server of another cluster, with another system identifier. */
export const startFresh = (more: PostgresOptions['settings'] = {}): Promise<Home> => start(true, more);

const on = ({ server }: Home, program: ProgramName, args: readonly string[], folder: string): Promise<string> =>
  runProgram(server.programs, program, args, folder);

/** Dumps the database as the superuser: roles under row-level security may not. @param format `plain` is SQL */
export const dump = (home: Home, folder: string, format: 'plain' | 'custom', ...more: readonly string[]) =>
  on(
    home,
    'pg_dump',
    ['--dbname', home.adminUrl, `--format=${format}`, '--file', join(folder, format), ...more],
    folder,
  );

/** Fills a fresh cluster from a dump. */
export const restoreDump = async (home: Home, folder: string, format: 'plain' | 'custom'): Promise<void> => {
  await createServiceDatabase(home.outside);
  const file = join(folder, format);
  if (format === 'plain')
    await on(
      home,
      'psql',
      [
        '--no-psqlrc',
        '--quiet',
        '--set=ON_ERROR_STOP=1',
        '--single-transaction',
        '--dbname',
        home.adminUrl,
        '--file',
        file,
      ],
      folder,
    );
  else await on(home, 'pg_restore', ['--exit-on-error', '--dbname', home.adminUrl, file], folder);
};

/** Copies the data of a stopped server in place of that of another stopped server. */
export const copyData = (from: string, to: string): void => {
  rmSync(to, { recursive: true, force: true });
  copyDataFolder(from, to);
};

/** Settings of a server that archives its write-ahead log into a folder. */
export const archivingTo = (folder: string): NonNullable<PostgresOptions['settings']> => ({
  archive_mode: 'on',
  archive_command: `cp %p ${folder}/%f`,
});

/** Folder for the archive of the write-ahead log. */
export const makeArchive = (folder: string): string => {
  const archive = join(folder, 'archive');
  mkdirSync(archive, { recursive: true });
  giveAway(archive, serverUser());
  return archive;
};

/** Takes a base backup of a server that runs. */
export const takeBaseBackup = (home: Home, folder: string): Promise<string> =>
  on(home, 'pg_basebackup', ['--dbname', home.adminUrl, '--pgdata', join(folder, 'base'), '--checkpoint=fast'], folder);

/** Puts a base backup in the place of a stopped server's data; its next start recovers to a moment. @param target SQL timestamp */
export const recoverBaseBackup = (home: Home, folder: string, archive: string, target: string): void => {
  const { dataDir } = home.server;
  copyData(join(folder, 'base'), dataDir);
  appendFileSync(
    join(dataDir, 'postgresql.auto.conf'),
    [
      `restore_command = 'cp ${archive}/%f %p'`,
      `recovery_target_time = '${target}'`,
      `recovery_target_action = 'promote'`,
      '',
    ].join('\n'),
  );
  writeFileSync(join(dataDir, 'recovery.signal'), '');
  giveAway(dataDir, serverUser());
};

/** Moves the data of a stopped server into a fresh, stopped one. @param mode `link` shares the files: the old one is not used again */
export const upgradeCluster = async (from: Home, to: Home, folder: string, mode: 'copy' | 'link'): Promise<void> => {
  const ports = [50_432, 50_433] as const;
  const { programs } = to.server;
  const bin = join(programs.root, programs.bin);
  await runProgram(
    programs,
    'pg_upgrade',
    [
      ...[
        '--old-bindir',
        bin,
        '--new-bindir',
        bin,
        '--old-datadir',
        from.server.dataDir,
        '--new-datadir',
        to.server.dataDir,
      ],
      ...[
        '--old-port',
        String(ports[0]),
        '--new-port',
        String(ports[1]),
        '--username',
        'postgres',
        '--socketdir',
        folder,
      ],
      ...(mode === 'link' ? ['--link'] : []),
    ],
    folder,
    { PGPASSWORD: superuserPassword },
  );
};

/** Longest time until a subscriber has everything, milliseconds. */
const caughtUpMsMax = 60_000;

/** Copies everything into a fresh cluster, and keeps the copy up to date: the old one needs `wal_level = logical`. */
export const subscribe = async (from: Home, to: Home, folder: string): Promise<void> => {
  await dump(from, folder, 'plain', '--schema-only');
  await restoreDump(to, folder, 'plain');
  await from.sql('create publication upgrade for all tables');
  await to.sql(`create subscription upgrade connection '${from.adminUrl}' publication upgrade`);
  await waitUntil('The subscriber', 'copy every table', caughtUpMsMax, async () => {
    const rows = await to.sql(`select 1 from pg_subscription_rel where srsubstate <> 'r'`);
    return rows.length === 0;
  });
};

/** Waits until the copy has everything, and cuts it off. Nothing may write to the old one any more. */
export const cutOver = async (from: Home, to: Home): Promise<void> => {
  const [[written] = []] = await from.sql('select pg_current_wal_lsn()');
  await waitUntil('The subscriber', 'have everything', caughtUpMsMax, async () => {
    const rows = await from.sql(`select 1 from pg_stat_replication where replay_lsn >= '${written}'`);
    return rows.length > 0;
  });
  await to.sql('drop subscription upgrade');
};
