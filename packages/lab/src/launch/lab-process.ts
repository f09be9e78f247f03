/**
 * Runs of the lab as child processes, so that a run measures itself alone.
 * @module
 */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunResult } from '../results/result.ts';
import { printableLines } from '../texts/printable.ts';
import { spawnRun } from './process-group.ts';

/** How such a run is made. */
export interface LabProcessParts {
  /** Beginning of the names of its files. */
  readonly out: string;
  /** Ends the run early; it writes the results so far. */
  readonly interrupt: AbortSignal;
  /** Whether its output is shown. */
  readonly isShown: boolean;
}

/** The result of a run, or the reason why there is none. */
export type LabProcessEnd = { readonly result: RunResult } | { readonly result: null; readonly reason: string };

const lab = fileURLToPath(new URL('../main.ts', import.meta.url));
/** More first logins a second than a small machine can hash, for so long. */
const storm = { users: 3000, perSecond: 300, seconds: 10 } as const;

/** Runs `catalytic-lab run`. @param words scenario and options */
export const runLabProcess = async (
  words: readonly string[],
  { out, interrupt, isShown }: LabProcessParts,
): Promise<LabProcessEnd> => {
  // An older result of the same name must not be taken for this run's.
  rmSync(`${out}.json`, { force: true });
  const child = spawnRun(process.execPath, [lab, 'run', ...words, '--out', out], {
    stdio: ['ignore', isShown ? 'inherit' : 'ignore', isShown ? 'inherit' : 'pipe'],
  });
  let printed = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  const stop = (): void => void child.kill('SIGINT');
  interrupt.addEventListener('abort', stop);
  if (interrupt.aborted) stop();
  const [code] = (await once(child, 'exit')) as [number | null];
  interrupt.removeEventListener('abort', stop);
  try {
    return { result: JSON.parse(readFileSync(`${out}.json`, 'utf8')) as RunResult };
  } catch {
    return {
      result: null,
      reason: `the lab ended with ${code}${printed === '' ? '' : `: ${printableLines(printed.trim())}`}`,
    };
  }
};

/**
 * Measures how many passwords a second a target hashes: users that log in once each, more than it
 * can hash.
 * @param words options of every run of the target
 * @returns logins per second; `null` when there was no result
 */
export const measureHashing = async (words: readonly string[], interrupt: AbortSignal): Promise<number | null> => {
  const folder = mkdtempSync(join(tmpdir(), 'catalytic-hashing-'));
  const { users, perSecond, seconds } = storm;
  const load = ['auth', '--users', users, '--spawn-rate', perSecond, '--duration', `${seconds}s`, '--wait', '100-100'];
  const parts = { out: join(folder, 'result'), interrupt, isShown: false };
  const { result } = await runLabProcess([...load.map(String), ...words], parts);
  rmSync(folder, { recursive: true, force: true });
  const logins = result?.whole.endpoints.find(({ name }) => name === '/auth/login');
  return result === null || logins === undefined ? null : logins.ok / (result.whole.to_s - result.whole.from_s);
};
