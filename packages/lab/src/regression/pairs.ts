/**
 * Measures two sides, always both at the same time: request by request in turns, so that whatever the machine does to one it does to the other
 * (docs/decisions/0020-both-sides-at-once.md).
 * @module
 */
import { ownCpuSeconds } from '../probes/generator.ts';
import { describeMachine, readCpuTimes } from '../probes/machine.ts';
import type { Block, Side } from './side.ts';

/** A block of each side. */
export interface Blocks {
  readonly a: Block;
  readonly b: Block;
}

/** Blocks of the same seconds. */
export interface BlockPair extends Blocks {
  /** CPU time that neither the lab nor the two sides used, and steal, per cent of the machine. */
  readonly othersPercent: number;
}

const { cores } = describeMachine();

/** Blocks of some sides, of the same seconds. */
export interface Together {
  /** In the order of the sides. */
  readonly blocks: readonly Block[];
  /** See {@link BlockPair}. */
  readonly othersPercent: number;
}

/**
 * Loads sides at the same time: with the same tasks at the same rate, each so much later than the one before it that all take turns.
 * @param turn which side is asked first: another one each time, so that none always is
 */
export const loadTogether = async (
  sides: readonly Side[],
  seconds: number,
  { seed, turn, interrupt }: { readonly seed: string; readonly turn: number; readonly interrupt: AbortSignal },
): Promise<Together> => {
  const explained = (): number => sides.reduce((sum, side) => sum + side.cpuSeconds(), ownCpuSeconds());
  const [all, ours, startedMs] = [readCpuTimes(), explained(), performance.now()];
  const shiftOf = (index: number): number => ((index + turn) % sides.length) / sides.length;
  const blocks = await Promise.all(sides.map((side, index) => side.load(seconds, seed, shiftOf(index), interrupt)));
  const [allAfter, oursAfter] = [readCpuTimes(), explained()];
  const elapsed = (performance.now() - startedMs) / 1000;
  const othersSeconds =
    all === undefined || allAfter === undefined
      ? 0
      : allAfter.busy + allAfter.steal - all.busy - all.steal - (oursAfter - ours);
  return { blocks, othersPercent: Math.max(0, (100 * othersSeconds) / (elapsed * cores)) };
};

/** Two sides that run and whose users have signed in. */
export interface Sides extends AsyncDisposable {
  readonly a: Side;
  readonly b: Side;
}

/** How they are measured. */
export interface PairsOptions {
  readonly pairs: number;
  readonly blockSeconds: number;
  readonly seed: string;
  /** A pair with more CPU time of others is measured again, per cent of the machine. */
  readonly othersPercentMax: number;
  readonly interrupt: AbortSignal;
  readonly onPair: (pair: BlockPair, done: number) => void;
  /** Told when a pair does not count. */
  readonly onDisturbed: (pair: BlockPair) => void;
}

/** What came of it. */
export interface MeasuredPairs {
  readonly pairs: readonly BlockPair[];
  /** Pairs whose times do not count. */
  readonly disturbed: readonly BlockPair[];
}

/** So much of a block's time both are loaded before it: what has just started gets faster for a while (V8 compiles what is hot). */
export const warmShare = 0.5;

/**
 * Measures until there are enough pairs; on a machine that is never quiet, not more than twice as many.
 * @param start starts both sides anew, for each pair: two processes of one version differ from each other, for as long as they live
 */
export const measurePairs = async (
  start: () => Promise<Sides>,
  { pairs: wanted, blockSeconds, seed, othersPercentMax, interrupt, onPair, onDisturbed }: PairsOptions,
): Promise<MeasuredPairs> => {
  const pairs: BlockPair[] = [];
  const disturbed: BlockPair[] = [];
  for (let turn = 0; pairs.length < wanted && disturbed.length <= wanted && !interrupt.aborted; turn++) {
    await using sides = await start();
    const both = [sides.a, sides.b];
    await loadTogether(both, blockSeconds * warmShare, { seed: `${seed}/${turn}/warm`, turn, interrupt });
    const { blocks, othersPercent } = await loadTogether(both, blockSeconds, {
      seed: `${seed}/${turn}`,
      turn,
      interrupt,
    });
    if (interrupt.aborted) break;
    const [a, b] = blocks as [Block, Block];
    const pair = { a, b, othersPercent };
    if (othersPercent > othersPercentMax) {
      disturbed.push(pair);
      onDisturbed(pair);
    } else {
      pairs.push(pair);
      onPair(pair, pairs.length);
    }
  }
  return { pairs, disturbed };
};
