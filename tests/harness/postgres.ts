/**
 * Real PostgreSQL servers for tests: each on a free port, with its own data. They end with the test's process. Writes reach the disk as they
 * do in production (`fsync` is on).
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listProcesses, signal, stopTree, treeOf } from '@catalytic/lab/process-tree';
import { environmentOf } from './debian-packages.ts';
import { OwnClock } from './own-clock.ts';
import { findServer, type PostgresServer } from './postgres/find-server.ts';
import { type Places, usualPlaces } from './postgres/places.ts';
import { query, type TextRow } from './postgres/query.ts';
import { giveAway, serverTmpdir, serverUser } from './postgres/server-user.ts';
import { copyDataFolder, makeDataFolder, reachable, superuser } from './postgres/template.ts';
import type { Scope } from './scope.ts';
import { freePort } from './service.ts';
import { waitUntil } from './wait-until.ts';
import { startWatchdog } from './watchdog/watchdog.ts';

const startMsMax = 60_000;
const endMsMax = 20_000;

/** How PostgreSQL is asked to stop (`pg_ctl stop --mode`). */
const stopSignals = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

/** A server under test. */
export interface Postgres extends AsyncDisposable {
  /** With user and password, for the database `postgres`. */
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly version: string;
  /** Its programs, where its user may run them. */
  readonly programs: PostgresServer;
  /** Process id of the postmaster; that of the last one while none runs. */
  readonly pid: number;
  /** Everything the server has logged. */
  output(): string;
  /** Runs SQL over a new connection. */
  sql(text: string): Promise<readonly TextRow[]>;
  /** Ends the postmaster with a signal and waits until the whole tree is gone. */
  kill(name?: NodeJS.Signals): Promise<void>;
  /** Kills the background writer: the postmaster ends every connection, recovers and serves again. Returns when it does. */
  crashBackgroundProcess(): Promise<void>;
  /** Stops every process of the server (SIGSTOP): connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  stop(mode?: keyof typeof stopSignals): Promise<void>;
  /** Starts it again on the same data and port. */
  start(): Promise<void>;
  /** Sets its wall clock this many seconds before (or, negative, behind) that of this machine. @throws Error unless it has its own clock */
  setClock(aheadSeconds: number): void;
  /** Ends it at once and removes its data. */
  close(): Promise<void>;
}

/** Options of a server under test. */
export interface PostgresOptions {
  /** Server settings, by name: `{ max_connections: 20 }`. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Whether it has its own wall clock, which {@link Postgres.setClock} sets. */
  readonly hasClock?: boolean;
  /** Whether it is a new cluster; all others are copies of one, and have its system identifier. */
  readonly isOwnCluster?: boolean;
  /** The primary that it follows as a standby. Its data is copied: stop it before, and start it afterwards. */
  readonly standbyOf?: Postgres;
  readonly places?: Places;
  /** The programs to run it with. @default those that are found */
  readonly programs?: PostgresServer;
}

/** Copies the data of the primary, and marks the copy as a standby. */
const followPrimary = ({ dataDir, port, url }: Postgres, base: string) => {
  const folder = { dataDir: join(base, 'data'), password: new URL(url).password };
  copyDataFolder(dataDir, folder.dataDir);
  writeFileSync(join(folder.dataDir, 'standby.signal'), '');
  const primary = `host=127.0.0.1 port=${port} user=${superuser} password=${folder.password}`;
  // The standby starts before its primary, and must follow soon after.
  return { ...folder, flags: { primary_conninfo: primary, wal_retrieve_retry_interval: '100ms' } };
};

/**
 * Whether tests that need PostgreSQL can run, as an option of `test` and `suite`: `suite('…', needsPostgres(), …)`.
 * @throws Error when there is no server and `CI` is set: there no test may be skipped unnoticed
 */
export const needsPostgres = (places: Places = usualPlaces): { readonly skip: string | false } => {
  try {
    serverUser();
    findServer(places);
    return { skip: false };
  } catch (error) {
    if (!(error instanceof Error) || process.env['CI'] === 'true') throw error;
    return { skip: error.message };
  }
};

/** Starts a server and waits until it takes connections. */
export const startPostgres = async ({
  settings = {},
  hasClock = false,
  isOwnCluster = false,
  standbyOf,
  places = usualPlaces,
  programs,
}: PostgresOptions = {}): Promise<Postgres> => {
  const base = mkdtempSync(join(serverTmpdir(), 'catalytic-postgres-'));
  const close = startWatchdog('watchdog/end-servers.ts', base);
  try {
    chmodSync(base, 0o755);
    const server = reachable(programs ?? findServer(places), base);
    const user = serverUser();
    const clock = hasClock ? new OwnClock(base) : undefined;
    const {
      dataDir,
      password,
      flags: own,
    } = standbyOf === undefined
      ? { ...makeDataFolder(server, isOwnCluster ? join(base, 'cluster') : places.cache, base), flags: {} }
      : followPrimary(standbyOf, base);
    const logFile = join(base, 'log');
    const port = await freePort();
    const url = `postgres://${superuser}:${password}@127.0.0.1:${port}/postgres`;
    const flags = Object.entries({ unix_socket_directories: '', listen_addresses: '127.0.0.1', ...own, ...settings });
    let postmaster: ChildProcess | undefined;
    const pid = (): number => postmaster?.pid ?? 0;
    const hasEnded = (): boolean =>
      postmaster === undefined || postmaster.exitCode !== null || postmaster.signalCode !== null;
    const output = (): string => readFileSync(logFile, 'utf8');

    /** The line of `postmaster.pid` that `pg_ctl --wait` reads. */
    const isReady = (): boolean => {
      if (hasEnded()) throw new Error(`PostgreSQL did not start:\n${output()}`);
      try {
        const lines = readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n');
        return lines[0] === String(pid()) && lines[7]?.trim() === 'ready';
      } catch {
        return false;
      }
    };
    const start = async (): Promise<void> => {
      const log = openSync(logFile, 'a');
      postmaster = spawn(
        join(server.root, server.bin, 'postgres'),
        ['-D', dataDir, '-p', String(port), ...flags.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
        {
          cwd: base,
          env: { ...environmentOf(server), ...clock?.environment },
          stdio: ['ignore', log, log],
          detached: true,
          ...user,
        },
      );
      closeSync(log);
      postmaster.unref();
      await waitUntil('PostgreSQL', 'start', startMsMax, isReady);
    };
    const kill = async (name: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
      if (hasEnded()) return;
      const members = treeOf(pid()).map((member) => member.pid);
      signal(pid(), name);
      // Stopped children notice that the postmaster is gone only once they run again.
      for (const member of members) signal(member, 'SIGCONT');
      await waitUntil(
        'PostgreSQL',
        'end',
        endMsMax,
        () => hasEnded() && !listProcesses().some((other) => members.includes(other.pid)),
      );
    };

    giveAway(base, user);
    await start();
    return {
      url,
      port,
      dataDir,
      version: server.version,
      programs: server,
      get pid() {
        return pid();
      },
      output,
      sql: (text) => query(url, text),
      kill,
      crashBackgroundProcess: async () => {
        const writer = treeOf(pid()).find(({ command }) => command.includes('background writer'));
        if (writer === undefined) throw new Error('PostgreSQL has no background writer at this moment');
        const before = output().length;
        signal(writer.pid, 'SIGKILL');
        const isBack = (): boolean => output().slice(before).includes('ready to accept connections');
        await waitUntil('PostgreSQL', 'recover', startMsMax, isBack);
      },
      pause: () => void stopTree(pid()),
      resume: () => {
        for (const member of treeOf(pid())) signal(member.pid, 'SIGCONT');
      },
      stop: (mode = 'fast') => kill(stopSignals[mode]),
      start,
      setClock: (aheadSeconds) => {
        if (clock === undefined) throw new Error('This PostgreSQL has no clock of its own');
        clock.set(aheadSeconds);
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};

/** A server that ends when the scope is over: a test's context, or `node:test` itself for a whole file. */
export const postgresIn = async (
  scope: Scope,
  settings: NonNullable<PostgresOptions['settings']> = {},
): Promise<Postgres> => {
  const server = await startPostgres({ settings });
  scope.after(() => server.close());
  return server;
};
