/**
 * Comparisons: everything that is compared gets a block in every round.
 * @module
 */
import { shuffled } from '../../packages/lab/src/arrivals/random.ts';
import { randomFrom, seed } from '../../tests/harness/seed.ts';
import { say } from './result.ts';

/**
 * Measures a block of each contestant in every round, in an order drawn anew each time: in a fixed order the first one would always pay for
 * waking the processor, and each one always follow the same other. `SEED=…` repeats the orders of an earlier run.
 * @param contestants how a block of each is measured, by its name
 * @returns the blocks by name, in the order in which the contestants were given
 */
export const dealRounds = async <Block>(
  contestants: Readonly<Record<string, () => Promise<Block>>>,
  rounds: number,
): Promise<ReadonlyMap<string, readonly Block[]>> => {
  const random = randomFrom(seed);
  const blocks = new Map<string, Block[]>(Object.keys(contestants).map((name) => [name, []]));
  for (let round = 1; round <= rounds; round++)
    for (const [name, measure] of shuffled(Object.entries(contestants), random)) {
      say(`Round ${round} of ${rounds}: ${name}`);
      blocks.get(name)?.push(await measure());
    }
  return blocks;
};
