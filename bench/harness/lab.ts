/**
 * The load lab in a separate process.
 * @module
 */
import { once } from 'node:events';
import { spawnGroup } from '../../packages/lab/src/launch/process-group.ts';
import { labMain } from '../../tests/harness/lab.ts';

/** How the lab is run. */
export interface LabOptions {
  /** @default this one */
  readonly cwd?: string;
  /** Whether its standard output is shown; its standard error always is. @default true */
  readonly isShown?: boolean;
}

/** Runs the lab to its end and passes on the signals that this process gets, so that the lab ends in its own way. @returns its exit code */
export const runLab = async (words: readonly string[], { cwd, isShown = true }: LabOptions = {}): Promise<number> => {
  const child = spawnGroup(process.execPath, [labMain, ...words], {
    stdio: ['ignore', isShown ? 'inherit' : 'ignore', 'inherit'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const stop = (name: NodeJS.Signals): boolean => child.kill(name);
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, stop);
  const [code] = (await once(child, 'exit')) as [number | null];
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, stop);
  return code ?? 1;
};
