/**
 * Real Redis servers and Sentinels for tests: each on a free port, without persistence. They end with the test's process.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  findProgram,
  needsProgram,
  type ProgramPlaces,
  usualProgramPlaces,
  type WantedProgram,
} from './find-program.ts';
import { redisCommand } from './redis/command.ts';
import type { Scope } from './scope.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';
import { freePort } from './service.ts';

/** Longest time for a command of a test. */
const answerMsMax = 5_000;

/** Longest time for the check whether a server is ready. */
const readyMsMax = 500;

/** The Redis of the tests. */
export const wantedRedis: WantedProgram = {
  title: 'Redis',
  names: ['redis-server', 'valkey-server'],
  versionFlag: '--version',
  versionMin: [7, 0],
  // The program is in the second; the first contains only its name.
  packages: ['redis-server', 'redis-tools'],
  unpacked: 'usr/bin/redis-server',
};

/** A Redis, or a Sentinel, under test. It starts again on the same port and empty; a Sentinel keeps its state. */
export interface Redis extends ServerProcess {
  /** With the password when one is set: `redis://127.0.0.1:6379`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly version: string;
  /**
   * Sends one command over a new connection, as the default user, and waits 5 s at most.
   * @returns text, a whole number, `null` or a list of these
   * @throws Error with Redis's own words when it answers an error
   */
  command(...words: readonly string[]): Promise<unknown>;
}

/** Options of a Redis under test. */
export interface RedisOptions {
  /** Lines of its configuration: `{ requirepass: 'x', 'user app': 'on >pw ~* &* +@all', replicaof: '127.0.0.1 7000' }`. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Address that it listens on and that the test reaches it at: 127.0.0.1 unless given. */
  readonly host?: string;
  /** A free one unless given. */
  readonly port?: number;
  /** Words to put before its command, to run it elsewhere. */
  readonly prefixCommand?: readonly string[];
  readonly places?: ProgramPlaces;
}

/** Options of a Sentinel under test. */
export interface SentinelOptions extends RedisOptions {
  readonly master: { readonly name: string; readonly host: string; readonly port: number };
  /** How many Sentinels have to agree that the master is away: 1 unless given. */
  readonly quorum?: number;
}

/**
 * Whether tests that need Redis can run, as an option of `test` and `suite`: `suite('…', needsRedis(), …)`.
 * @throws Error when there is no server and `CI` is set: there no test may be skipped unnoticed
 */
export const needsRedis = (places: ProgramPlaces = usualProgramPlaces): { readonly skip: string | false } =>
  needsProgram(wantedRedis, places);

const start = async (
  { settings = {}, host = '127.0.0.1', port: wantedPort, prefixCommand = [], places }: RedisOptions,
  own: readonly string[],
  flags: readonly string[] = [],
): Promise<Redis> => {
  const program = findProgram(wantedRedis, places);
  const port = wantedPort ?? (await freePort());
  const password = settings['requirepass'] === undefined ? undefined : String(settings['requirepass']);
  const address = { host, port, ...(password === undefined ? {} : { password }) };
  const server = await startServerProcess({
    title: flags.includes('--sentinel') ? 'Sentinel' : 'Redis',
    env: program.env,
    prepare: (folder) => {
      const file = join(folder, 'redis.conf');
      const given = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
      // "set-proc-title no": its command must keep naming its folder. "protected-mode no": a machine of a test is not loopback.
      const common = [`bind ${host}`, `port ${port}`, `dir ${folder}`, 'set-proc-title no', 'protected-mode no'];
      writeFileSync(file, [...common, ...own, ...given, ''].join('\n'));
      return [...prefixCommand, program.file, file, ...flags];
    },
    isReady: async () => {
      try {
        return (await redisCommand(address, ['PING'], readyMsMax)) === 'PONG';
      } catch (error) {
        // A server whose default user is off answers with an error.
        return error instanceof Error && /^(NOAUTH|NOPERM|WRONGPASS)/.test(error.message);
      }
    },
  });
  const credentials = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
  return {
    // A getter: a copy would stay the first process id after a restart.
    get pid() {
      return server.pid;
    },
    output: server.output,
    kill: server.kill,
    pause: server.pause,
    resume: server.resume,
    stop: server.stop,
    start: server.start,
    close: server.close,
    [Symbol.asyncDispose]: server.close,
    url: `redis://${credentials}${host}:${port}`,
    host,
    port,
    version: program.version,
    command: (...words) => redisCommand(address, words, answerMsMax),
  };
};

/** Starts a Redis that keeps nothing on disk, and waits until it answers. */
export const startRedis = (options: RedisOptions = {}): Promise<Redis> =>
  start(options, ['save ""', 'appendonly no', 'repl-diskless-sync-delay 0']);

/** A Redis that ends when the scope is over: a test's context, or `node:test` itself for a whole file. */
export const redisIn = async (scope: Scope, options: RedisOptions = {}): Promise<Redis> => {
  const server = await startRedis(options);
  scope.after(() => server.close());
  return server;
};

/** Starts a Sentinel that watches a master and considers it lost after 500 ms, and waits until it answers. */
export const startSentinel = ({
  master: { name, host, port },
  quorum = 1,
  ...options
}: SentinelOptions): Promise<Redis> =>
  start(
    options,
    [
      `sentinel monitor ${name} ${host} ${port} ${quorum}`,
      `sentinel down-after-milliseconds ${name} 500`,
      `sentinel failover-timeout ${name} 2000`,
    ],
    ['--sentinel'],
  );
