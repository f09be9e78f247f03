/**
 * Runs the phases of an experiment one after the other and tells them as one.
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { RunResult } from '../results/result.ts';
import { printableJson } from '../texts/printable.ts';
import { experimentMarkdown, type Told } from './markdown.ts';
import type { Phase, PhaseResult } from './phase.ts';
import { type PhaseParts, runPhase } from './run-phase.ts';

/** Parts that an experiment is run with. */
export interface ExperimentParts extends Omit<PhaseParts, 'out'> {
  readonly told: Told;
  /** Beginning of the names of all files. */
  readonly out: string;
  /** Whether phases that are measured in its result file are kept. */
  readonly isResumed: boolean;
}

/** About how long a phase takes, seconds: its ramp is not known before its target is measured. */
const guessSeconds = ({ users, spawnRate = 50, steadySeconds }: Phase): number =>
  users / spawnRate + steadySeconds + 20;

const minutes = (seconds: number): string => `${Math.max(1, Math.round(seconds / 60))} min`;

/**
 * Runs an experiment. The report is written after each phase, so that an early stop loses nothing.
 * @returns the results of the phases that were begun, now or before
 */
export const runExperiment = async (
  phases: readonly Phase[],
  { told, isResumed, ...parts }: ExperimentParts,
): Promise<readonly PhaseResult[]> => {
  const results: PhaseResult[] = [];
  const file = `${parts.out}.json`;
  const known = isResumed && existsSync(file) ? measured(file) : [];
  const resultOf = ({ id }: Phase): PhaseResult | undefined =>
    [...results, ...known].find((result) => result.phase.id === id);
  const write = (): void => {
    const all = phases.flatMap((phase) => resultOf(phase) ?? []);
    writeFileSync(`${parts.out}.md`, experimentMarkdown(told, all));
    writeFileSync(file, `${printableJson(all.map(withoutSeconds), 2)}\n`);
  };
  for (const [index, phase] of phases.entries()) {
    if (parts.interrupt.aborted) break;
    if (resultOf(phase) !== undefined) {
      parts.say(`── ${index + 1} of ${phases.length}: ${phase.title}: measured before`);
      continue;
    }
    const left = phases.filter((one) => resultOf(one) === undefined).reduce((sum, one) => sum + guessSeconds(one), 0);
    parts.say(`── ${index + 1} of ${phases.length}: ${phase.title} (about ${minutes(left)} to go)`);
    const result = await runPhase(phase, { ...parts, out: `${parts.out}-${phase.id}` });
    if (result.reason !== null) parts.say(`Not measured: ${result.reason}`);
    results.push(result);
    write();
  }
  write();
  return phases.flatMap((phase) => resultOf(phase) ?? []);
};

/** The phases that a result file holds whole. */
const measured = (file: string): readonly PhaseResult[] =>
  (JSON.parse(readFileSync(file, 'utf8')) as readonly PhaseResult[]).filter(
    ({ result }) => result !== null && result.ended !== 'interrupted',
  );

/** Each run has a file with its seconds. */
const withoutSeconds = ({ result, smaller, ...rest }: PhaseResult): object => {
  const bare = (run: RunResult): object => ({ ...run, seconds: [], history: [] });
  return { ...rest, result: result === null ? null : bare(result), smaller: smaller.map(bare) };
};
