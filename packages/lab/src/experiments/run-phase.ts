/**
 * Runs one phase: starts its target, measures what it can hash, loads it.
 * @module
 */
import { measureHashing, runLabProcess } from './lab-process.ts';
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

/** Where nothing is hashed. */
const spawnRateUsual = 100;

const whereOf = ({ url, adminKeyFile }: StartedTarget): string[] => [
  '--target',
  url,
  ...(adminKeyFile === undefined ? [] : ['--admin-key-file', adminKeyFile]),
];

/** Runs it. Never throws: what went wrong is part of the experiment. */
export const runPhase = async (phase: Phase, parts: PhaseParts): Promise<PhaseResult> => {
  let hashesPerSecond: number | null = null;
  let spawnRate = phase.spawnRate ?? spawnRateUsual;
  try {
    await using target = await startTarget(phase.target, parts);
    if (phase.target.kind !== 'naive') {
      parts.say('Measuring how many passwords a second it hashes …');
      hashesPerSecond = await measureHashing(whereOf(target), parts.interrupt);
      // Half of it: the other half is for those who are there already.
      if (hashesPerSecond !== null && phase.spawnRate === undefined)
        spawnRate = Math.max(1, Math.floor(hashesPerSecond / 2));
      parts.say(`${hashesPerSecond?.toFixed(0) ?? '?'} a second; ${spawnRate} users are started a second`);
    }
    const seconds = Math.ceil(phase.users / spawnRate) + phase.steadySeconds;
    const load = [phase.scenario, '--users', phase.users, '--spawn-rate', spawnRate, '--duration', `${seconds}s`];
    parts.say(`${phase.scenario} with ${phase.users} users for ${seconds} s`);
    const words = [...load.map(String), ...whereOf(target), ...parts.runWords];
    const ran = await runLabProcess(words, { ...parts, isShown: true });
    return { phase, hashesPerSecond, spawnRate, result: ran.result, reason: ran.result === null ? ran.reason : null };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { phase, hashesPerSecond, spawnRate, result: null, reason };
  }
};
