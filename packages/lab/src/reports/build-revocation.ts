/**
 * From the measured revocations to their figures.
 * @module
 */
import type { Histogram } from '../measures/histogram.ts';
import { percentilesOf } from '../measures/sampler.ts';
import type { Gathered } from './gathered.ts';
import type { RevocationResult, TimesResult } from './result.ts';

const timesOf = (histogram: Histogram): TimesResult => ({
  count: histogram.count,
  mean_ms: histogram.meanMs,
  max_ms: histogram.maxMs,
  percentiles_ms: percentilesOf(histogram),
});

/** Builds the figures; `null` when the scenario does not ask every worker. */
export const buildRevocation = ({ revocation, workerNames, options }: Gathered): RevocationResult | null =>
  workerNames === undefined
    ? null
    : {
        asked: workerNames.length === 0 ? 'fresh connections' : 'workers',
        workers: workerNames,
        logout: timesOf(revocation.logout),
        rejection: timesOf(revocation.rejection),
        propagation: timesOf(revocation.propagation),
        probe_every: options.probeEvery,
        unrefused: revocation.unrefused,
        lost_workers: revocation.lostWorkers,
      };
