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

/** Loads both sides. @param isTurned the second one is asked first */
export const loadPair = async (
  a: Side,
  b: Side,
  seconds: number,
  { seed, isTurned = false }: { readonly seed: string; readonly isTurned?: boolean },
): Promise<BlockPair> => {
  const explained = (): number => ownCpuSeconds() + a.cpuSeconds() + b.cpuSeconds();
  const [all, ours, startedMs] = [readCpuTimes(), explained(), performance.now()];
  // Both keep to the same times, half the time between two requests apart.
  const [blockA, blockB] = await Promise.all([
    a.load(seconds, seed, isTurned ? 0.5 : 0),
    b.load(seconds, seed, isTurned ? 0 : 0.5),
  ]);
  const [allAfter, oursAfter] = [readCpuTimes(), explained()];
  const elapsed = (performance.now() - startedMs) / 1000;
  const othersSeconds =
    all === undefined || allAfter === undefined
      ? 0
      : allAfter.busy + allAfter.steal - all.busy - all.steal - (oursAfter - ours);
  return { a: blockA, b: blockB, othersPercent: Math.max(0, (100 * othersSeconds) / (elapsed * cores)) };
};

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

/** Measures until there are enough pairs; on a machine that is never quiet, not more than twice as many. */
export const measurePairs = async (
  a: Side,
  b: Side,
  { pairs: wanted, blockSeconds, seed, othersPercentMax, interrupt, onPair, onDisturbed }: PairsOptions,
): Promise<MeasuredPairs> => {
  const pairs: BlockPair[] = [];
  const disturbed: BlockPair[] = [];
  for (let round = 0; pairs.length < wanted && disturbed.length <= wanted && !interrupt.aborted; round++) {
    const pair = await loadPair(a, b, blockSeconds, { seed: `${seed}/${round}`, isTurned: round % 2 === 1 });
    if (pair.othersPercent > othersPercentMax) {
      disturbed.push(pair);
      onDisturbed(pair);
    } else {
      pairs.push(pair);
      onPair(pair, pairs.length);
    }
  }
  return { pairs, disturbed };
};
