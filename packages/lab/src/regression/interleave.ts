/**
 * Measures two sides in turns: A B, B A, A B, … so that neither always comes first.
 * @module
 */
import type { Block, Side } from './side.ts';

/** A block of each side, next to each other in time. */
export interface BlockPair {
  readonly a: Block;
  readonly b: Block;
}

/** How they are measured. */
export interface InterleaveOptions {
  readonly pairs: number;
  readonly blockSeconds: number;
  readonly seed: string;
  /** A pair with more CPU time of others in one of its blocks is measured again, per cent of the machine. */
  readonly othersPercentMax: number;
  readonly interrupt: AbortSignal;
  readonly onPair: (pair: BlockPair, done: number) => void;
  /** Told when a pair does not count. */
  readonly onDisturbed: (pair: BlockPair) => void;
}

/** What came of it. */
export interface Interleaved {
  readonly pairs: readonly BlockPair[];
  /** Pairs whose times do not count. */
  readonly disturbed: readonly BlockPair[];
}

const isDisturbed = ({ a, b }: BlockPair, limit: number): boolean => Math.max(a.othersPercent, b.othersPercent) > limit;

/** Measures until there are enough pairs; on a machine that is never quiet, not more than twice as many. */
export const interleave = async (
  a: Side,
  b: Side,
  { pairs: wanted, blockSeconds, seed, othersPercentMax, interrupt, onPair, onDisturbed }: InterleaveOptions,
): Promise<Interleaved> => {
  const pairs: BlockPair[] = [];
  const disturbed: BlockPair[] = [];
  for (let round = 0; pairs.length < wanted && disturbed.length <= wanted && !interrupt.aborted; round++) {
    const measure = (side: Side): Promise<Block> => side.load(blockSeconds, `${seed}/${round}`);
    const first = await measure(round % 2 === 0 ? a : b);
    const second = await measure(round % 2 === 0 ? b : a);
    const pair = round % 2 === 0 ? { a: first, b: second } : { a: second, b: first };
    if (isDisturbed(pair, othersPercentMax)) {
      disturbed.push(pair);
      onDisturbed(pair);
    } else {
      pairs.push(pair);
      onPair(pair, pairs.length);
    }
  }
  return { pairs, disturbed };
};
