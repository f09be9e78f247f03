/**
 * Measures two sides, always both at the same time, so that whatever the machine does to one it
 * does to the other (docs/decisions/0020-both-sides-at-once.md).
 * @module
 */
import { arrivalTimes } from '../arrivals/arrival-times.ts';
import { startArrivals } from '../arrivals/open-arrivals.ts';
import { randomOf, shuffled } from '../arrivals/random.ts';
import { ownCpuSeconds } from '../probes/generator.ts';
import { describeMachine, readCpuTimes } from '../probes/machine.ts';
import type { Block, Loading, Side } from './side.ts';

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

/** How sides are loaded. */
export interface TogetherOptions {
  readonly seconds: number;
  /** Requests per second of each side, whatever the answers do. */
  readonly rate: number;
  readonly seed: string;
  /** Ends it at once. */
  readonly interrupt: AbortSignal;
}

/**
 * Loads sides at the same time, with the same tasks. One schedule for all, evenly spaced, deals a
 * request to each side before any is asked again, each time in another order: the first request
 * finds the processor asleep and pays for waking it.
 */
const loadTogether = async (
  sides: readonly Side[],
  { seconds, rate, seed, interrupt }: TogetherOptions,
): Promise<Together> => {
  const timesMs = arrivalTimes({
    perSecond: rate * sides.length,
    stages: [],
    durationSeconds: seconds,
    spacing: 'even',
    seed,
  });
  await Promise.all(sides.map((side) => side.prepare(Math.ceil(timesMs.length / sides.length))));
  const explained = (): number => sides.reduce((sum, side) => sum + side.cpuSeconds(), ownCpuSeconds());
  const [all, ours, startedMs] = [readCpuTimes(), explained(), performance.now()];
  const loadings = sides.map((side) => side.begin(seed));
  const random = randomOf(seed, 1);
  let dealt: readonly Loading[] = [];
  const crowd = startArrivals({
    timesMs,
    available: timesMs.length,
    act: async (index) => {
      const at = index % sides.length;
      if (at === 0) dealt = shuffled(loadings, random);
      await dealt[at]?.ask();
    },
  });
  const stop = (): void => crowd.stop();
  interrupt.addEventListener('abort', stop);
  if (interrupt.aborted) stop();
  await crowd.ended;
  interrupt.removeEventListener('abort', stop);
  const blocks = loadings.map((loading) => loading.end());
  const [allAfter, oursAfter] = [readCpuTimes(), explained()];
  const elapsed = (performance.now() - startedMs) / 1000;
  const othersSeconds =
    all === undefined || allAfter === undefined
      ? 0
      : allAfter.busy + allAfter.steal - all.busy - all.steal - (oursAfter - ours);
  return { blocks, othersPercent: Math.max(0, (100 * othersSeconds) / (elapsed * cores)) };
};

/**
 * Share of a block's time for which sides are loaded before it: a new process gets faster for a
 * while (V8 compiles its hot code).
 */
export const warmShare = 0.5;

/** Warms up sides that have just started, then loads them for the block that counts. */
export const loadFresh = async (sides: readonly Side[], options: TogetherOptions): Promise<Together> => {
  const { seconds, seed } = options;
  await loadTogether(sides, { ...options, seconds: seconds * warmShare, seed: `${seed}/warm` });
  return loadTogether(sides, options);
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
  /** Requests per second of each side. */
  readonly rate: number;
  readonly seed: string;
  /** A pair with more CPU time of others is measured again, per cent of the machine. */
  readonly othersPercentMax: number;
  readonly interrupt: AbortSignal;
  readonly onPair: (pair: BlockPair, done: number) => void;
  /** Told when a pair does not count. */
  readonly onDisturbed: (pair: BlockPair) => void;
}

/** The result. */
export interface MeasuredPairs {
  readonly pairs: readonly BlockPair[];
  /** Pairs whose times do not count. */
  readonly disturbed: readonly BlockPair[];
}

/**
 * Measures until there are enough pairs; on a machine that is never quiet, not more than twice as
 * many.
 * @param start starts both sides anew, for each pair: two processes of one version differ from each
 * other, for as long as they live. It is
 *   told which one to start first, in turns.
 */
export const measurePairs = async (
  start: (isCandidateFirst: boolean) => Promise<Sides>,
  { pairs: wanted, blockSeconds, rate, seed, othersPercentMax, interrupt, onPair, onDisturbed }: PairsOptions,
): Promise<MeasuredPairs> => {
  const pairs: BlockPair[] = [];
  const disturbed: BlockPair[] = [];
  for (let turn = 0; pairs.length < wanted && disturbed.length <= wanted && !interrupt.aborted; turn++) {
    await using sides = await start(turn % 2 === 1);
    const options = { seconds: blockSeconds, rate, seed: `${seed}/${turn}`, interrupt };
    const { blocks, othersPercent } = await loadFresh([sides.a, sides.b], options);
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
