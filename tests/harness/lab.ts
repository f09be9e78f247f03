/**
 * The load lab in a separate process.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { firstLine } from './first-line.ts';
import { serverMain } from './service.ts';

const manyWorkers = fileURLToPath(new URL('many-workers.ts', import.meta.url));
/** The lab's own command line. */
export const labMain = fileURLToPath(new URL('../../packages/lab/src/main.ts', import.meta.url));

/** Shell command that starts the service, as the lab is given it. */
export const serviceCommand = `'${process.execPath}' '${serverMain}' serve`;

/**
 * The working folder and environment of a test of the lab. The lock of measured runs is in the temporary folder: with a separate one a test
 * neither waits for another run nor disturbs it.
 */
const placeIn = (folder: string) => ({
  cwd: folder,
  env: {
    PATH: process.env['PATH'],
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
    TMPDIR: mkdtempSync(join(folder, 'tmp-')),
  },
});

/** When and how the lab is stopped. */
export interface LabStop {
  /**
   * Milliseconds from its first output to the interrupt, so that a slow start on a busy machine does not count.
   * @default never
   */
  readonly stopAfterMs?: number;
  /** Whether the interrupt reaches all of its processes, as Ctrl-C in a terminal does. */
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

/** Runs the lab to its end. @param folder its working folder */
export const runLab = async (
  folder: string,
  words: readonly string[],
  { stopAfterMs, isGroup = false }: LabStop = {},
): Promise<LabEnd> => {
  const child = spawn(process.execPath, [labMain, ...words], { ...placeIn(folder), detached: isGroup });
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

/** Starts the lab's server that shares nothing. @throws {Error} when it ends before it prints its address */
export const startNaive = async (...words: string[]): Promise<{ readonly url: string } & AsyncDisposable> => {
  const child = spawn(process.execPath, [labMain, 'naive', '--port', '0', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url = ''] = /http:\S+/.exec(await firstLine('The naive server', child.stdout)) ?? [];
  return { url, [Symbol.asyncDispose]: () => end(child) };
};

/**
 * Starts a small service of three processes behind one port.
 * @param behaviour one of those in `many-workers.ts`
 * @throws {Error} when it ends before it has a port
 */
export const startManyWorkers = async (behaviour: string): Promise<{ readonly url: string } & AsyncDisposable> => {
  const child = spawn(process.execPath, [manyWorkers, behaviour], { stdio: ['pipe', 'pipe', 'inherit'] });
  // Created now: if the service dies by itself, the event is over before the disposal would wait for it.
  const closed = once(child, 'close');
  return {
    url: `http://127.0.0.1:${await firstLine('The service of several processes', child.stdout)}`,
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await closed;
    },
  };
};
