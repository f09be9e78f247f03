/**
 * How many users a search for capacity starts a second: half of what the target hashes, where it may be asked for that at all.
 * @module
 */
import type { Flags } from '../commands/run-flags.ts';
import { trustOf } from '../commands/run-options.ts';
import { measureHashing } from '../experiments/lab-process.ts';
import { type Scenario, usesAccounts } from '../scenarios/scenario.ts';
import { Connection } from '../targets/connection.ts';
import { doubtCatalytic } from '../targets/identify.ts';

/** Where nothing is hashed, more would only be a burst of connections. */
const spawnRateMax = 200;
/** Users a second where the target may not be asked: what `run` starts by default. */
export const spawnRateUnmeasured = 10;
/** Longest waits before the search, milliseconds. */
const askedLimits = { connectMs: 10_000, answerMs: 10_000 };

/** What a search knows of its target. */
export interface SpawnRateParts {
  readonly scenario: Scenario;
  /** The options of the runs. */
  readonly flags: Flags;
  readonly interrupt: AbortSignal;
  readonly say: (line: string) => void;
}

/** Why the target is not stormed with first logins; `undefined` when it may be. */
const reasonToSpare = async ({ scenario, flags }: SpawnRateParts): Promise<string | undefined> => {
  if (!usesAccounts(scenario)) return `${scenario.name} does not say "accounts: true"`;
  const connection = new Connection(flags.operateTarget ?? flags.target, { ...askedLimits, trust: trustOf(flags) });
  const doubt = await doubtCatalytic(connection).finally(() => connection.destroy());
  return doubt === undefined ? undefined : `the target does not say that it is Catalytic: ${doubt}`;
};

/** Words that lead every run to the same accounts of the same target, and nothing else: no faults, no criteria, no tags. */
const targetWords = ({ target, operateTarget, adminKeyFile, tenant, ca, insecure }: Flags): readonly string[] => [
  ...['--target', target, '--tenant', tenant],
  ...(operateTarget === undefined ? [] : ['--operate-target', operateTarget]),
  ...(adminKeyFile === undefined ? [] : ['--admin-key-file', adminKeyFile]),
  ...(ca === undefined ? [] : ['--ca', ca.file]),
  ...(insecure ? ['--insecure'] : []),
];

/**
 * Measures it by first logins, more than the target can hash, but only where users of the scenario sign in to Catalytic. Any other service is
 * sent nothing: {@link spawnRateUnmeasured}.
 */
export const measureSpawnRate = async (parts: SpawnRateParts): Promise<number> => {
  const { flags, interrupt, say } = parts;
  const reason = await reasonToSpare(parts);
  if (reason !== undefined) {
    say(`First logins were not measured: ${reason}; --spawn-rate sets another rate`);
    return spawnRateUnmeasured;
  }
  say('Measuring how many first logins a second the target takes …');
  const perSecond = await measureHashing(targetWords(flags), interrupt);
  // Half of what is hashed: the other half is for those who are there already.
  return Math.max(1, Math.min(spawnRateMax, Math.floor((perSecond ?? 2) / 2)));
};
