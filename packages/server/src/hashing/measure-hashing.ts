/**
 * How many passwords a second this machine hashes, with the service's own setting and with those
 * that OWASP considers equally strong.
 * @module
 */
import { type Argon2idCost, argon2idCost, argon2idPrefix } from '@catalytic/protocol/argon2id-cost';
import { Secret } from '../features/secrets/secret.ts';
import { HashLanes } from './hash-lanes.ts';

/**
 * Equally strong settings, each the minimum for its memory (OWASP Password Storage Cheat Sheet,
 * argon2id). The first is the service's own.
 */
export const equalSettings: readonly [Argon2idCost, ...Argon2idCost[]] = [
  argon2idCost,
  { memoryKib: 47_104, passes: 1, parallelism: 1 },
  { memoryKib: 12_288, passes: 3, parallelism: 1 },
  { memoryKib: 9216, passes: 4, parallelism: 1 },
  { memoryKib: 7168, passes: 5, parallelism: 1 },
];

/** A measured rate of hashes. */
export interface HashRate {
  readonly checked: number;
  readonly seconds: number;
  readonly perSecond: number;
}

/**
 * A stored hash that no password matches. A check of it costs as much as any other before it fails.
 */
const unmatchedHash = (cost: Argon2idCost): string => `${argon2idPrefix(cost)}$${'A'.repeat(22)}$${'A'.repeat(43)}`;

const rateOf = async (lanes: HashLanes, count: number, setting: Argon2idCost, seconds: number): Promise<HashRate> => {
  const password = new Secret('a password that no account has');
  const storedHash = unmatchedHash(setting);
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  let checked = 0;
  const keepBusy = async (): Promise<void> => {
    do {
      await lanes.verify(storedHash, password);
      checked += 1;
    } while (performance.now() < endMs);
  };
  await Promise.all(Array.from({ length: count }, keepBusy));
  const elapsed = (performance.now() - startMs) / 1000;
  return { checked, seconds: elapsed, perSecond: checked / elapsed };
};

/**
 * Keeps all lanes busy with each setting in turn, while the process does nothing else.
 * @param lanes number of hashes at once
 * @param seconds time for each setting; hashes that run at the end are waited for
 * @param onProblem called when the hashing process has to be restarted
 */
export const measureHashing = async (
  lanes: number,
  settings: readonly Argon2idCost[],
  seconds: number,
  onProblem: (message: string) => void,
): Promise<readonly HashRate[]> => {
  const hashing = new HashLanes({ lanes, foreignLanes: lanes, queueMs: 60_000, onProblem, evensRefusals: false });
  try {
    // The process has started and loaded everything when this is done.
    await hashing.verify(unmatchedHash({ memoryKib: 8, passes: 1, parallelism: 1 }), new Secret(''));
    const rates: HashRate[] = [];
    for (const setting of settings) rates.push(await rateOf(hashing, lanes, setting, seconds));
    return rates;
  } finally {
    await hashing.close();
  }
};
