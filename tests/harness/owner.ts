/**
 * A process that owns servers or machines and is then killed: tests of the harness check that nothing outlives it.
 * @module
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Scope } from './scope.ts';

const importMsMax = 30_000;

/** A process that has printed what it owns. */
export interface Owner {
  /** Its first line, read as JSON. */
  readonly said: unknown;
  kill(): void;
}

/**
 * Runs a script and waits for its first line.
 * @param file of the harness, beside this one; the script gets its exports as `harness`
 * @param script prints a JSON line and then runs until it is killed, at the end of the scope at the latest
 */
export const startOwner = async (scope: Scope, file: string, script: string): Promise<Owner> => {
  const harness = JSON.stringify(fileURLToPath(new URL(file, import.meta.url)));
  const text = `const harness = await import(${harness}); ${script}; setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ['--input-type=module', '--eval', text], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const kill = (): void => void owner.kill('SIGKILL');
  scope.after(kill);
  const line = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`The owner said nothing for ${importMsMax} ms`)), importMsMax);
    owner.stdout.once('data', (chunk: Buffer) => {
      clearTimeout(timer);
      resolve(chunk.toString());
    });
    owner.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`The owner ended with code ${code} before it said a line`));
    });
  });
  return { said: JSON.parse(line), kill };
};
