/**
 * Starts the real service in a separate process, on a free port, with its own data folder.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Scope, scopeOfSuite } from './scope.ts';

/** The service's own command line. */
export const serverMain = fileURLToPath(new URL('../../packages/server/src/main.ts', import.meta.url));
const startMsMax = 60_000;

/** A service under test. */
export interface Service {
  readonly url: string;
  readonly dataDir: string;
  readonly process: ChildProcess;
  /** Everything the process has printed on either stream so far. */
  readonly output: () => string;
  /** Ends the process with a signal and waits until it is gone. Returns its exit code, `null` when the signal ended it. */
  readonly end: (signal?: NodeJS.Signals) => Promise<number | null>;
}

/** Settings of a service under test, by environment name; `undefined` takes away one that it would have. */
export type Settings = Readonly<Record<string, string | number | undefined>>;

/** A new empty folder that {@link removeFolder} takes away. */
export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'catalytic-test-'));

/** Removes a folder and its contents. */
export const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true });

/**
 * Runs the command line with these arguments; no configuration of this process reaches it.
 * @param prefixCommand words to put before its command, to run it elsewhere
 */
export const spawnCatalytic = (
  args: readonly string[],
  settings: Settings = {},
  prefixCommand: readonly string[] = [],
  stdin: 'ignore' | 'pipe' = 'ignore',
): ChildProcess => {
  const [program = process.execPath, ...rest] = [...prefixCommand, process.execPath, serverMain, ...args];
  return spawn(program, rest, {
    stdio: [stdin, 'pipe', 'pipe'],
    env: {
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      PATH: process.env['PATH'],
      ...Object.fromEntries(
        Object.entries(settings).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
      ),
    },
  });
};

/** Runs a command to its end. @param input its standard input; none unless given */
export const runCatalytic = async (
  args: readonly string[],
  settings: Settings = {},
  input?: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> => {
  const child = spawnCatalytic(args, settings, [], input === undefined ? 'ignore' : 'pipe');
  child.stdin?.end(input);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
};

/** A free port where a service serves operators apart by itself: tests that run at the same time would all get 9000. */
const operatePortFor = (settings: Settings): number | undefined =>
  settings['ISSUER'] === undefined && settings['TRUSTED_PROXIES'] === undefined ? undefined : 0;

/**
 * Starts a service and waits until it says that it serves.
 * @param dataDir its data folder; the caller removes it
 * @param settings environment of the service; the port is free unless given
 * @param prefixCommand words to put before its command, to run it elsewhere, such as those of a machine
 * @param flags of its command
 */
export const startService = async (
  dataDir: string,
  settings: Settings = {},
  prefixCommand: readonly string[] = [],
  flags: readonly string[] = [],
): Promise<Service> => {
  const child = spawnCatalytic(
    ['serve', ...flags],
    // With the key that brings accounts in by the thousand.
    { PORT: 0, OPERATE_PORT: operatePortFor(settings), DATA_DIR: dataDir, HASH_LANES: 2, LAB: 1, ...settings },
    prefixCommand,
  );
  let output = '';
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`The service did not start in time:\n${output}`));
    }, startMsMax);
    child.stdout?.on('data', () => {
      const found = /serves on (\S+)/.exec(output)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    });
    void ended.then((code) => {
      clearTimeout(timer);
      reject(new Error(`The service ended with code ${code} instead of starting:\n${output}`));
    });
  });
  return {
    url,
    dataDir,
    process: child,
    output: () => output,
    end: (signal = 'SIGINT') => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return ended;
    },
  };
};

/** A service with its own data folder; both are gone when the scope is over, however it ends. */
export const serviceIn = async (
  scope: Scope,
  settings: Settings = {},
  prefixCommand: readonly string[] = [],
): Promise<Service> => {
  const dataDir = temporaryFolder();
  let service: Service | undefined;
  scope.after(async () => {
    await service?.end('SIGKILL');
    removeFolder(dataDir);
  });
  service = await startService(dataDir, settings, prefixCommand);
  return service;
};

/** One service for tests that need no other, started at its first use; it ends when the scope is over. */
export const sharedService = (scope: Scope, settings: Settings = {}): (() => Promise<Service>) => {
  // Registered now: at the first use, this would be cleaned up at the end of the test that is under way.
  const ofScope = scopeOfSuite(scope);
  let service: Promise<Service> | undefined;
  return () => {
    service ??= serviceIn(ofScope, settings);
    return service;
  };
};

/** A service started again on a folder that the caller removes; it ends when the scope is over. */
export const serviceOn = async (
  scope: Scope,
  dataDir: string,
  settings: Settings = {},
  flags: readonly string[] = [],
): Promise<Service> => {
  const service = await startService(dataDir, settings, [], flags);
  scope.after(async () => {
    await service.end('SIGKILL');
  });
  return service;
};

/** A temporary folder that is gone when the scope is over. */
export const folderIn = (scope: Scope): string => {
  const folder = temporaryFolder();
  scope.after(async () => removeFolder(folder));
  return folder;
};

/** A port that no process listens on at this moment. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
