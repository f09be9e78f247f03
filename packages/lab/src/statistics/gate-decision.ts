/**
 * What a gate says about a ratio: pass, fail, or that it does not know.
 * @module
 */

import type { Random } from '../arrivals/random.ts';
import type { Pair, PairedRatio } from './paired-ratio.ts';
import { pairedRatio } from './paired-ratio.ts';

/** `inconclusive` is neither: the interval reaches over the limit from below, and more pairs may help. */
export type GateVerdict = 'pass' | 'fail' | 'inconclusive';

/** The rule of a gate. */
export interface GateRule {
  /** A ratio up to this is no regression: 1.05 forgives 5 %. */
  readonly limit: number;
  /** Confidence of the interval, 0 to 1. */
  readonly confidence: number;
}

/** A decision. */
export interface GateDecision extends PairedRatio {
  readonly verdict: GateVerdict;
}

/**
 * Decides: fails when the whole interval lies above the limit, passes when it lies below, else does not know.
 * Whoever looks again after each further pair, until it says something, raises the share of false alarms: look at a fixed number of pairs.
 */
export const decide = (pairs: readonly Pair[], { limit, confidence }: GateRule, random: Random): GateDecision => {
  const estimate = pairedRatio(pairs, random, { confidence });
  const verdict = estimate.low > limit ? 'fail' : estimate.high <= limit ? 'pass' : 'inconclusive';
  return { ...estimate, verdict };
};
