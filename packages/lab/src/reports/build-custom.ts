/**
 * From the checks and metrics of a custom scenario to the result.
 * @module
 */

import type { CustomMeasures } from '../measures/custom-measures.ts';
import type { CustomResult } from '../results/custom-result.ts';
import { percentilesOf } from '../statistics/histogram.ts';

/** Builds the part of the result about them; `null` for a built-in scenario. */
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
