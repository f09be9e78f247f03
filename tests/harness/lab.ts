/**
 * The load lab in a process of its own.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { firstLine } from './first-line.ts';

const manyWorkers = fileURLToPath(new URL('many-workers.ts', import.meta.url));
const main = fileURLToPath(new URL('../../packages/lab/src/main.ts', import.meta.url));

/** Shell command that starts the service, as the lab is given it. */
export const serviceCommand = `node ${fileURLToPath(new URL('../../packages/server/src/main.ts', import.meta.url))} serve`;

/**
 * Where a test of the lab works. The lock of measured runs lies in the temporary folder: with one of its own a test neither waits for nor
 * disturbs another run.
 */
const placeIn = (folder: string) => ({
  cwd: folder,
  env: {
    PATH: process.env['PATH'],
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
    TMPDIR: mkdtempSync(join(folder, 'tmp-')),
  },
});

/** How the lab is stopped. */
export interface LabStop {
  /**
   * Interrupts it so many milliseconds after its first word: how long a busy machine takes to start it is not the question.
   * @default never
   */
  readonly stopAfterMs?: number;
  /** Whether the interrupt reaches all of its processes, as that of a terminal does. */
  readonly isGroup?: boolean;
}

/** How it ended. */
export interface LabEnd {
  readonly code: number | null;
  /** Both of its outputs. */
  readonly output: string;
  /** `NaN` when it was not stopped. */
  readonly secondsAfterStop: number;
}

/** Runs the lab to its end. @param folder where it works */
export const runLab = async (
  folder: string,
  words: readonly string[],
  { stopAfterMs, isGroup = false }: LabStop = {},
): Promise<LabEnd> => {
  const child = spawn(process.execPath, [main, ...words], { ...placeIn(folder), detached: isGroup });
  let output = '';
  let stoppedAtMs = Number.NaN;
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    stoppedAtMs = performance.now();
    if (child.pid !== undefined) process.kill(isGroup ? -child.pid : child.pid, 'SIGINT');
  };
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (piece: Buffer) => {
      output += piece.toString();
      if (stopAfterMs !== undefined) timer ??= setTimeout(stop, stopAfterMs);
    });
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { code, output, secondsAfterStop: (performance.now() - stoppedAtMs) / 1000 };
};

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
};

/** Starts the lab's server that shares nothing. @throws {Error} when it ends before it says where it answers */
export const startNaive = async (...words: string[]): Promise<{ readonly url: string } & AsyncDisposable> => {
  const child = spawn(process.execPath, [main, 'naive', '--port', '0', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url = ''] = /http:\S+/.exec(await firstLine('The naive server', child.stdout)) ?? [];
  return { url, [Symbol.asyncDispose]: () => end(child) };
};

/**
 * Starts a small service of three processes behind one port.
 * @param behaviour one of those `many-workers.ts` knows
 * @throws {Error} when it ends before it has a port
 */
export const startManyWorkers = async (behaviour: string): Promise<{ readonly url: string } & AsyncDisposable> => {
  const child = spawn(process.execPath, [manyWorkers, behaviour], { stdio: ['pipe', 'pipe', 'inherit'] });
  // Asked for now: should it die by itself, that has been by the time somebody would wait for it.
  const closed = once(child, 'close');
  return {
    url: `http://127.0.0.1:${await firstLine('The service of several processes', child.stdout)}`,
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await closed;
    },
  };
};
