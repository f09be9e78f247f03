/**
 * From what was counted at guarded APIs to their figures.
 * @module
 */
import type { GuardsResult } from '../results/guard-result.ts';
import { timesOf } from './build-window.ts';
import type { Gathered } from './gathered.ts';

/** Builds the figures; `undefined` when no guard was named. */
export const buildGuards = ({ guards, options }: Gathered): GuardsResult | undefined =>
  guards.length === 0
    ? undefined
    : {
        lease_s: options.guardLeaseSeconds,
        apis: guards.map(({ api: { url, mode }, dead, live, violations, firstRefusal }) => ({
          url,
          mode,
          dead,
          violations,
          live,
          first_refusal: timesOf(firstRefusal),
        })),
      };
