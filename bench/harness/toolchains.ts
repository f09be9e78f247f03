/**
 * Runs steps with the tools of other languages, as far as they are on this machine.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './services.ts';

/** Longest time of one step, which may fetch and compile the libraries of a language. */
const stepMsMax = 15 * 60_000;

/** Most bytes of the output of a step. */
const outputBytesMax = 64 * 1024 * 1024;

/** A command: the program and its arguments. */
export type Step = readonly [string, ...string[]];

/** Programs of a list that are not on the `PATH`. */
export const missingPrograms = (names: readonly string[]): readonly string[] =>
  names.filter((name) => spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name]).status !== 0);

/** The end of a try: the output of its last step, or the step that failed and the last lines it printed. */
export type Ended = { readonly output: string } | { readonly failed: string };

/** Runs steps in a folder, one after the other, until one fails. @param environment variables beside those of this process */
export const runSteps = (folder: string, steps: readonly Step[], environment: NodeJS.Dict<string> = {}): Ended => {
  let output = '';
  for (const [program, ...words] of steps) {
    const { status, stdout, stderr, error } = spawnSync(program, words, {
      cwd: folder,
      env: { ...process.env, ...environment },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: stepMsMax,
      maxBuffer: outputBytesMax,
    });
    output = stdout;
    if (status === 0) continue;
    const lines = `${stdout}\n${stderr}\n${error?.message ?? ''}`.trim().split('\n');
    return { failed: `${program} ${words[0] ?? ''}: ${lines.slice(-12).join('\n')}` };
  }
  return { output };
};

/** A folder that later runs find again, for libraries that are large. */
export const cacheFolder = (name: string): string => {
  const folder = join(root, '.cache', name);
  mkdirSync(folder, { recursive: true });
  return folder;
};
