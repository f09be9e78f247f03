/**
 * From the checks and metrics of an own scenario to the result.
 * @module
 */

import { percentilesOf } from '../measures/histogram.ts';
import type { OwnMeasures } from '../measures/own-measures.ts';
import type { OwnResult } from './own-result.ts';

/** Builds what the result says of them; `null` when the scenario is one of ours. */
export const buildOwn = (own: OwnMeasures | undefined): OwnResult | null =>
  own === undefined
    ? null
    : {
        checks: [...own.checks].map(([name, { passed, failed }]) => ({ name, passed, failed })),
        counters: Object.fromEntries(own.counters),
        trends: [...own.trends].map(([name, trend]) => ({
          name,
          count: trend.count,
          mean: trend.meanMs,
          min: trend.minMs,
          max: trend.maxMs,
          percentiles: percentilesOf(trend),
        })),
      };
