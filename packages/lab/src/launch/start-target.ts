/**
 * Starts the target of a phase, and ends it.
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { paths } from '@catalytic/protocol/paths';
import type { NaiveState } from '../reference/naive-server.ts';
import { Connection } from '../targets/connection.ts';
import { redact, secretsIn } from '../texts/redact.ts';
import { spawnGroup } from './process-group.ts';

/** Kind of target. */
export type TargetKind =
  /** The service with one process on SQLite. */
  | { readonly kind: 'embedded' }
  /** The service with `workers` workers on PostgreSQL, and Redis. */
  | { readonly kind: 'workers'; readonly workers: number }
  /** The server of the lab that shares nothing. */
  | { readonly kind: 'naive'; readonly workers: number; readonly state: NaiveState; readonly closes: boolean };

/** Means to start targets with. */
export interface Means {
  /** Shell command that starts the service; its options come from the environment. */
  readonly service: string;
  readonly databaseUrl: string | undefined;
  readonly redisUrl: string | undefined;
}

/** A target that answers. */
export interface StartedTarget extends AsyncDisposable {
  readonly url: string;
  /** Its admin key for the lab; `undefined`: users register themselves. */
  readonly adminKeyFile: string | undefined;
}

/** Longest time until it answers, and until it has ended. */
const startMsMax = 60_000;
const stopMsMax = 15_000;
const askedLimits = { connectMs: 1000, answerMs: 5000 };
/** Every user logs in once in full. After that, within this time, the login cache answers. */
const loginCacheSeconds = 3600;
const lab = fileURLToPath(new URL('../main.ts', import.meta.url));

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
};

/**
 * Waits until it says that it is ready.
 * @throws {Error} with what it printed, when it ends or takes too long
 */
const untilReady = async (url: string, child: ChildProcess, printed: () => string): Promise<void> => {
  for (const until = performance.now() + startMsMax; performance.now() < until; await delay(100)) {
    if (child.exitCode !== null) break;
    const connection = new Connection(url, askedLimits);
    const reply = await connection.send({ method: 'GET', path: paths.ready });
    // Closed, not kept: a service that stops waits for open connections.
    await connection.destroy();
    if ('status' in reply && reply.status === 200) return;
  }
  throw new Error(`The target does not start:\n${printed()}`);
};

/**
 * Ends a process and all of its group. The command may be a shell that waits for the service and
 * that the signal ends at once, so the group has ended when every process that holds its output
 * has.
 */
const endGroup = async (child: ChildProcess, closed: Promise<unknown>): Promise<void> => {
  if (child.pid === undefined) return;
  const signal = (name: 'SIGTERM' | 'SIGKILL'): void => {
    try {
      process.kill(-(child.pid as number), name);
    } catch {
      // No process of the group is left.
    }
  };
  signal('SIGTERM');
  const isEnded = await Promise.race([closed.then(() => true), delay(stopMsMax, false)]);
  if (isEnded) return;
  signal('SIGKILL');
  await closed;
};

/** Starts a command and waits until it serves; the answer ends it. */
const launch = async (
  [file, ...args]: readonly [string, ...string[]],
  settings: Readonly<Record<string, string>>,
  url: string,
): Promise<() => Promise<void>> => {
  const child = spawnGroup(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...settings } });
  let isClosed = false;
  const closed = once(child, 'close').then(() => {
    isClosed = true;
  });
  const end = async (): Promise<void> => {
    if (!isClosed) await endGroup(child, closed);
  };
  // The output of a service that does not start ends up in reports, so secrets among the settings
  // are removed.
  const secrets = [
    ...secretsIn([...args, ...Object.values(settings)].join(' ')),
    settings['CATALYTIC_MASTER_KEY'] ?? '',
  ];
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      printed = (printed + chunk.toString()).slice(-4000);
    });
  try {
    await untilReady(url, child, () => redact(printed, secrets));
  } catch (error) {
    await end();
    throw error;
  }
  return end;
};

/**
 * Starts a target.
 * @throws {Error} a sentence, when it does not start or something is missing for it
 */
export const startTarget = async (
  target: TargetKind,
  { service, databaseUrl, redisUrl }: Means,
): Promise<StartedTarget> => {
  const port = String(await freePort());
  const url = `http://127.0.0.1:${port}`;
  if (target.kind === 'naive') {
    const { workers, state, closes } = target;
    const words = [
      'naive',
      '--port',
      port,
      '--workers',
      String(workers),
      '--state',
      state,
      ...(closes ? ['--close'] : []),
    ];
    const end = await launch([process.execPath, lab, ...words], {}, url);
    return { url, adminKeyFile: undefined, [Symbol.asyncDispose]: end };
  }
  if (target.kind === 'workers' && databaseUrl === undefined)
    throw new Error('it needs an empty PostgreSQL database (--database-url)');
  const dataDir = mkdtempSync(join(tmpdir(), 'catalytic-experiment-'));
  const settings = {
    PORT: port,
    DATA_DIR: dataDir,
    LOGIN_CACHE_SECONDS: String(loginCacheSeconds),
    KEEP_ALIVE_SECONDS: '600',
    EXPOSE_WORKER: '1',
    LAB: '1',
    ...(target.kind === 'workers' && {
      WORKERS: String(target.workers),
      DATABASE_URL: databaseUrl ?? '',
      CATALYTIC_MASTER_KEY: masterKey,
      ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
    }),
  };
  const removeFolder = (): void => rmSync(dataDir, { recursive: true, force: true });
  const end = await launch(['sh', '-c', service], settings, url).catch((error: unknown) => {
    removeFolder();
    throw error;
  });
  const stop = (): Promise<void> => end().finally(removeFolder);
  return { url, adminKeyFile: join(dataDir, 'lab.key'), [Symbol.asyncDispose]: stop };
};

/** One key for every target that uses the same database. */
const masterKey = randomBytes(32).toString('base64');
