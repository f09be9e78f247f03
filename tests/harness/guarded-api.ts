/**
 * An API behind a real guard, in a process of its own, which can be paused, killed, and given another clock.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { GuardOptions, GuardState } from '@catalytic/guard';
import { firstLine } from './first-line.ts';
import type { Scope } from './scope.ts';
import { waitUntil } from './wait-until.ts';

const program = fileURLToPath(new URL('guarded-api-process.ts', import.meta.url));
const shiftedClock = new URL('shifted-clock.ts', import.meta.url).href;
/** Longest time until a guard is current, on a busy machine. */
const currentMsMax = 20_000;
const endMsMax = 5000;

/** A running API. */
export interface GuardedApi extends AsyncDisposable {
  readonly url: string;
  readonly process: ChildProcess;
  /** Everything that it has complained of. */
  readonly problems: () => string;
  state(): Promise<GuardState>;
  /** Waits until its guard has a lease. */
  current(): Promise<void>;
  /** Status of a `GET` with a token, 0 when no answer came; asks over a connection of its own each time. */
  statusOf(token: string): Promise<number>;
  /** Ends it by a signal, or lets its guard leave first. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

/** How its process is started. */
export interface GuardedApiOptions {
  readonly guard: Omit<GuardOptions, 'onProblem' | 'fetch'>;
  /** File that holds the milliseconds by which its wall clock is shifted. @default none: it has that of the machine */
  readonly clockFile?: string;
}

/** Starts one. @throws Error when it ends before it has a port */
export const startGuardedApi = async ({ guard, clockFile }: GuardedApiOptions): Promise<GuardedApi> => {
  const clock =
    clockFile === undefined ? {} : { NODE_OPTIONS: `--import=${shiftedClock}`, CLOCK_SHIFT_FILE: clockFile };
  const child = spawn(process.execPath, [program, JSON.stringify(guard)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...clock },
  });
  let problems = '';
  child.stderr.on('data', (piece: Buffer) => {
    problems += piece.toString();
  });
  const closed = once(child, 'close');
  child.stdin.on('error', () => {});
  const url = `http://127.0.0.1:${await firstLine('The guarded API', child.stdout)}`;
  const state = async (): Promise<GuardState> => (await (await fetch(`${url}/state`)).json()) as GuardState;
  const end = async (signal?: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      if (signal !== undefined) child.kill(signal);
      else child.stdin.end();
    }
    const late = setTimeout(() => child.kill('SIGKILL'), endMsMax);
    await closed;
    clearTimeout(late);
  };
  return {
    url,
    process: child,
    problems: () => problems,
    state,
    current: () => waitUntil('The guard', 'become current', currentMsMax, async () => (await state()).current === true),
    statusOf: async (token) => {
      const headers = { authorization: `Bearer ${token}`, connection: 'close' };
      return (await fetch(url, { headers }).catch(() => undefined))?.status ?? 0;
    },
    end,
    [Symbol.asyncDispose]: () => end('SIGKILL'),
  };
};

/** Starts one that has ended when the scope is over. */
export const guardedApiIn = async (scope: Scope, options: GuardedApiOptions): Promise<GuardedApi> => {
  const api = await startGuardedApi(options);
  scope.after(() => api.end('SIGKILL'));
  return api;
};
