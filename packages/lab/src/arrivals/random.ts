/**
 * Seeded randomness: each virtual user has its stream, so the same seed gives the same tasks and
 * waits whatever the target does.
 * @module
 */
import { hash } from 'node:crypto';

/** Draws numbers in [0, 1). */
export type Random = () => number;

/**
 * sfc32, a small fast counter-based generator (Chris Doty-Humphrey, PractRand). Its quality is far
 * beyond the needs of picking tasks.
 */
const sfc32 = (seedA: number, seedB: number, seedC: number): Random => {
  let [a, b, c, counter] = [seedA, seedB, seedC, 1];
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let warmUp = 0; warmUp < 12; warmUp++) next();
  return next;
};

/**
 * The stream of one virtual user.
 * @param seed seed of the run, any text
 * @param index number of the user, from 0
 */
export const randomOf = (seed: string, index: number): Random => {
  const bytes = hash('sha256', `${seed}/${index}`, 'buffer');
  return sfc32(bytes.readInt32LE(0), bytes.readInt32LE(4), bytes.readInt32LE(8));
};

/** The same in another order, each as likely as any (Fisher and Yates). */
export const shuffled = <Item>(items: readonly Item[], random: Random): readonly Item[] => {
  const left = [...items];
  return items.map(() => left.splice(Math.floor(random() * left.length), 1)[0] as Item);
};
