/**
 * A server under test that is one process in the foreground. It ends with the test.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signal } from '@catalytic/lab/process-tree';
import { waitUntil } from './wait-until.ts';
import { startWatchdog } from './watchdog/watchdog.ts';

const startMsMax = 60_000;
const endMsMax = 20_000;

/** A server that runs, or has run. */
export interface ServerProcess extends AsyncDisposable {
  /** Process id; that of the last process while none runs. */
  readonly pid: number;
  /** Everything it has printed. */
  output(): string;
  /** Kills it (SIGKILL) and waits until it is gone. */
  kill(): Promise<void>;
  /** Stops it from running (SIGSTOP): connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  /** Asks it to end (SIGTERM) and waits until it has. */
  stop(): Promise<void>;
  /** Starts it again as it was started first. */
  start(): Promise<void>;
  /** Ends it at once and removes its folder. */
  close(): Promise<void>;
}

/** How a server is run. */
export interface ServerRecipe {
  readonly title: string;
  readonly env: NodeJS.ProcessEnv;
  /**
   * Puts its files into its folder.
   * @returns its command, which has to name a file in that folder: the watchdog finds it by that name when the test is gone
   */
  readonly prepare: (folder: string) => readonly string[];
  /** Called repeatedly after a start; an exception means "not yet". */
  readonly isReady: () => Promise<boolean>;
}

/** Starts a server and waits until it is ready. */
export const startServerProcess = async ({ title, env, prepare, isReady }: ServerRecipe): Promise<ServerProcess> => {
  const folder = mkdtempSync(join(tmpdir(), `catalytic-${title.toLowerCase()}-`));
  const close = startWatchdog('watchdog/end-servers.ts', folder);
  try {
    const [program = '', ...args] = prepare(folder);
    const logFile = join(folder, 'log');
    let child: ChildProcess | undefined;
    const pid = (): number => child?.pid ?? 0;
    const hasEnded = (): boolean => child === undefined || child.exitCode !== null || child.signalCode !== null;
    const output = (): string => readFileSync(logFile, 'utf8');

    const start = async (): Promise<void> => {
      if (!hasEnded()) return;
      const log = openSync(logFile, 'a');
      child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', log, log], detached: true });
      closeSync(log);
      child.unref();
      child.once('error', () => {});
      await waitUntil(title, 'start', startMsMax, () => {
        if (hasEnded() || pid() === 0) throw new Error(`${title} did not start:\n${output()}`);
        return isReady().catch(() => false);
      });
    };
    const end = async (name: NodeJS.Signals): Promise<void> => {
      if (hasEnded()) return;
      signal(pid(), name);
      // A stopped process takes no other signal than SIGKILL.
      signal(pid(), 'SIGCONT');
      await waitUntil(title, 'end', endMsMax, hasEnded);
    };

    await start();
    return {
      get pid() {
        return pid();
      },
      output,
      kill: () => end('SIGKILL'),
      pause: () => void signal(pid(), 'SIGSTOP'),
      resume: () => void signal(pid(), 'SIGCONT'),
      stop: () => end('SIGTERM'),
      start,
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};
