/**
 * The verdict of a gate: pass, fail, or inconclusive.
 *
 * First what is exact on any machine, however noisy: nothing may fail, and no dead token may be
 * accepted. Then one figure decides, the CPU time of a request: it is the steadiest, and a gate on
 * many figures raises many false alarms. Latencies are shown with their intervals and decide
 * nothing.
 * @module
 */
import type { Random } from '../arrivals/random.ts';
import { type PairedRatio, pairedRatio } from '../statistics/paired-ratio.ts';
import type { Blocks } from './pairs.ts';
import type { Block } from './side.ts';

/** `inconclusive` is neither: the interval holds the limit, and more pairs may help. */
export type GateVerdict = 'pass' | 'fail' | 'inconclusive';

/** The rule of a gate. */
export interface GateRule {
  /** A ratio up to this is no regression: 1.05 forgives 5 %. */
  readonly limit: number;
  /** Confidence of the intervals, 0 to 1. */
  readonly confidence: number;
}

/** A decision. */
export interface GateDecision {
  readonly verdict: GateVerdict;
  /** Why, in a sentence. */
  readonly reason: string;
  /** Candidate / baseline, by figure; the first decides. */
  readonly ratios: Readonly<Record<GateFigure, PairedRatio>>;
}

/** The compared blocks. */
export type GateFigure = 'cpuUsPerRequest' | 'p50Ms' | 'p95Ms' | 'p99Ms';

/**
 * With fewer, chance alone puts all of them on one side more often than once in twenty (2 · 0.5⁶ =
 * 0.03): an interval would promise too much.
 */
const pairsMin = 6;

const sum = (blocks: readonly Block[], of: (block: Block) => number): number =>
  blocks.reduce((total, block) => total + of(block), 0);

const percentText = (ratio: number): string => `${ratio >= 1 ? '+' : '−'}${Math.abs((ratio - 1) * 100).toFixed(1)} %`;

/**
 * Decides about one ratio: fails when the whole interval lies above the limit, passes when it lies
 * below it.
 */
const verdictOf = ({ low, high }: PairedRatio, limit: number): GateVerdict =>
  low > limit ? 'fail' : high <= limit ? 'pass' : 'inconclusive';

/**
 * The reason why a candidate fails on any machine, in a sentence; `undefined` when there is none.
 */
export const exactFailure = (candidates: readonly Block[]): string | undefined => {
  const violations = sum(candidates, (block) => block.violations);
  if (violations > 0) return `the candidate accepted a dead token ${violations} times`;
  const failures = sum(candidates, (block) => block.realFailures);
  return failures > 0 ? `${failures} requests of the candidate failed` : undefined;
};

const ratioOf = (pairs: readonly Blocks[], figure: GateFigure, confidence: number, random: Random): PairedRatio =>
  pairedRatio(
    pairs.map(({ a, b }) => ({ a: a[figure], b: b[figure] })),
    random,
    { confidence },
  );

/**
 * Decides about cost alone. Looking again after each further pair until it decides raises the share
 * of false alarms: the number of pairs is fixed beforehand.
 */
export const decideCost = (
  pairs: readonly Blocks[],
  { limit, confidence }: GateRule,
  random: Random,
): { readonly verdict: GateVerdict; readonly ratio: PairedRatio } => {
  const ratio = ratioOf(pairs, 'cpuUsPerRequest', confidence, random);
  return { verdict: pairs.length < pairsMin ? 'inconclusive' : verdictOf(ratio, limit), ratio };
};

/** Decides about cost, says why, and shows the other figures. */
export const decide = (pairs: readonly Blocks[], rule: GateRule, random: Random): GateDecision => {
  const { verdict, ratio: cpu } = decideCost(pairs, rule, random);
  const shown = (figure: GateFigure): PairedRatio => ratioOf(pairs, figure, rule.confidence, random);
  const ratios = { cpuUsPerRequest: cpu, p50Ms: shown('p50Ms'), p95Ms: shown('p95Ms'), p99Ms: shown('p99Ms') };
  if (pairs.length < pairsMin)
    return { verdict, reason: `${pairs.length} pairs show nothing, ${pairsMin} are the least`, ratios };
  const interval = `${percentText(cpu.ratio)} CPU time a request, ${percentText(cpu.low)} to ${percentText(cpu.high)}`;
  const against = { pass: 'within', fail: 'beyond', inconclusive: 'which does not decide about' }[verdict];
  return { verdict, reason: `${interval}, ${against} the limit of ${percentText(rule.limit)}`, ratios };
};
