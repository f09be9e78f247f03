/**
 * Runs one phase: starts its target, measures what it can hash, loads it.
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunResult } from '../reports/result.ts';
import type { Phase, PhaseResult } from './phase.ts';
import { type Means, type StartedTarget, startTarget } from './start-target.ts';

/** What a phase is run with. */
export interface PhaseParts extends Means {
  /** Beginning of the names of its files. */
  readonly out: string;
  /** Words that every run is given besides. */
  readonly runWords: readonly string[];
  readonly interrupt: AbortSignal;
  readonly say: (line: string) => void;
}

const lab = fileURLToPath(new URL('../main.ts', import.meta.url));
/** More first logins a second than a small machine can hash, for so long. */
const storm = { users: 3000, perSecond: 300, seconds: 10 } as const;
/** Where nothing is hashed. */
const spawnRateUsual = 100;

/** Runs the lab in a process of its own: what it measures of itself is then one run's. Returns its result, if it wrote one. */
const runLab = async (words: readonly string[], out: string, { interrupt }: PhaseParts, isShown: boolean) => {
  const child = spawn(process.execPath, [lab, 'run', ...words, '--out', out], {
    stdio: ['ignore', isShown ? 'inherit' : 'ignore', isShown ? 'inherit' : 'pipe'],
  });
  let printed = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  const stop = (): void => void child.kill('SIGINT');
  interrupt.addEventListener('abort', stop);
  const [code] = (await once(child, 'exit')) as [number | null];
  interrupt.removeEventListener('abort', stop);
  try {
    return { result: JSON.parse(readFileSync(`${out}.json`, 'utf8')) as RunResult };
  } catch {
    return { reason: `the lab ended with ${code}${printed === '' ? '' : `: ${printed.trim()}`}` };
  }
};

const whereOf = ({ url, adminKeyFile }: StartedTarget): string[] => [
  '--target',
  url,
  ...(adminKeyFile === undefined ? [] : ['--admin-key-file', adminKeyFile]),
];

/** Passwords a second: users that log in once, more than can be hashed. `null` when it could not be measured. */
const measureHashing = async (target: StartedTarget, parts: PhaseParts): Promise<number | null> => {
  const folder = mkdtempSync(join(tmpdir(), 'catalytic-hashing-'));
  const { users, perSecond, seconds } = storm;
  const words = ['auth', '--users', users, '--spawn-rate', perSecond, '--duration', `${seconds}s`, '--wait', '100-100'];
  const { result } = await runLab([...words.map(String), ...whereOf(target)], join(folder, 'result'), parts, false);
  rmSync(folder, { recursive: true, force: true });
  const logins = result?.whole.endpoints.find(({ name }) => name === '/auth/login');
  return result === undefined || logins === undefined ? null : logins.ok / (result.whole.to_s - result.whole.from_s);
};

/** Runs it. Never throws: what went wrong is part of the experiment. */
export const runPhase = async (phase: Phase, parts: PhaseParts): Promise<PhaseResult> => {
  let hashesPerSecond: number | null = null;
  let spawnRate = phase.spawnRate ?? spawnRateUsual;
  try {
    await using target = await startTarget(phase.target, parts);
    if (phase.target.kind !== 'naive') {
      parts.say('Measuring how many passwords a second it hashes …');
      hashesPerSecond = await measureHashing(target, parts);
      // Half of it: the other half is for those who are there already.
      if (hashesPerSecond !== null && phase.spawnRate === undefined)
        spawnRate = Math.max(1, Math.floor(hashesPerSecond / 2));
      parts.say(`${hashesPerSecond?.toFixed(0) ?? '?'} a second; ${spawnRate} users are started a second`);
    }
    const seconds = Math.ceil(phase.users / spawnRate) + phase.steadySeconds;
    const load = [phase.scenario, '--users', phase.users, '--spawn-rate', spawnRate, '--duration', `${seconds}s`];
    parts.say(`${phase.scenario} with ${phase.users} users for ${seconds} s`);
    const ran = await runLab([...load.map(String), ...whereOf(target), ...parts.runWords], parts.out, parts, true);
    return { phase, hashesPerSecond, spawnRate, result: ran.result ?? null, reason: ran.reason ?? null };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { phase, hashesPerSecond, spawnRate, result: null, reason };
  }
};
