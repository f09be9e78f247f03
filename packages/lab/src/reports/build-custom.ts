/**
 * From the checks and metrics of a custom scenario to the result.
 * @module
 */

import type { CustomMeasures } from '../measures/custom-measures.ts';
import type { CustomResult } from '../results/custom-result.ts';
import { percentilesOf } from '../statistics/histogram.ts';

/** Builds what the result says of them; `null` when the scenario is one of ours. */
export const buildCustom = (custom: CustomMeasures | undefined): CustomResult | null =>
  custom === undefined
    ? null
    : {
        checks: [...custom.checks].map(([name, { passed, failed }]) => ({ name, passed, failed })),
        counters: Object.fromEntries(custom.counters),
        trends: [...custom.trends].map(([name, trend]) => ({
          name,
          count: trend.count,
          mean: trend.meanMs,
          min: trend.minMs,
          max: trend.maxMs,
          percentiles: percentilesOf(trend),
        })),
      };
