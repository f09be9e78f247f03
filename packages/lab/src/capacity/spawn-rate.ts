/**
 * The number of users that a search for capacity starts a second: half of the hash rate of the
 * target, where that may be measured.
 * @module
 */

import { measureHashing } from '../launch/lab-process.ts';
import { type RunOptions, trustOf } from '../options/run-options.ts';
import { type Scenario, usesAccounts } from '../scenarios/scenario.ts';
import { Connection } from '../targets/connection.ts';
import { doubtCatalytic } from '../targets/identify.ts';

/** Where nothing is hashed, more would only be a burst of connections. */
const spawnRateMax = 200;
/** Users a second where the hash rate may not be measured: the default of `run`. */
export const spawnRateUnmeasured = 10;
/** Longest waits before the search, milliseconds. */
const askedLimits = { connectMs: 10_000, answerMs: 10_000 };

/** Options that lead every run to the same accounts of the same target. */
type TargetOptions = Pick<RunOptions, 'target' | 'operateTarget' | 'adminKeyFile' | 'tenant' | 'ca' | 'insecure'>;

/** Target and output of a search. */
export interface SpawnRateParts {
  readonly scenario: Scenario;
  /** Options of the runs. */
  readonly options: TargetOptions;
  readonly interrupt: AbortSignal;
  readonly say: (line: string) => void;
}

/** Why the target is not stormed with first logins; `undefined` when it may be. */
const reasonToSpare = async ({ scenario, options }: SpawnRateParts): Promise<string | undefined> => {
  if (!usesAccounts(scenario)) return `${scenario.name} does not say "accounts: true"`;
  const connection = new Connection(options.operateTarget ?? options.target, {
    ...askedLimits,
    trust: trustOf(options),
  });
  const doubt = await doubtCatalytic(connection).finally(() => connection.destroy());
  return doubt === undefined ? undefined : `the target does not say that it is Catalytic: ${doubt}`;
};

/**
 * Words that lead every run to the same accounts of the same target, and nothing else: no faults,
 * no criteria, no tags.
 */
const targetWords = ({
  target,
  operateTarget,
  adminKeyFile,
  tenant,
  ca,
  insecure,
}: TargetOptions): readonly string[] => [
  ...['--target', target, '--tenant', tenant],
  ...(operateTarget === undefined ? [] : ['--operate-target', operateTarget]),
  ...(adminKeyFile === undefined ? [] : ['--admin-key-file', adminKeyFile]),
  ...(ca === undefined ? [] : ['--ca', ca.file]),
  ...(insecure ? ['--insecure'] : []),
];

/**
 * Measures it by first logins, more than the target can hash, but only where users of the scenario
 * sign in to Catalytic. Any other service is sent nothing: {@link spawnRateUnmeasured}.
 */
export const measureSpawnRate = async (parts: SpawnRateParts): Promise<number> => {
  const { options, interrupt, say } = parts;
  const reason = await reasonToSpare(parts);
  if (reason !== undefined) {
    say(`First logins were not measured: ${reason}; --spawn-rate sets another rate`);
    return spawnRateUnmeasured;
  }
  say('Measuring how many first logins a second the target takes …');
  const perSecond = await measureHashing(targetWords(options), interrupt);
  // Half of the hash rate: the users that are there already need the other half.
  return Math.max(1, Math.min(spawnRateMax, Math.floor((perSecond ?? 2) / 2)));
};
