/**
 * From the measured revocations to their figures.
 * @module
 */

import type { RevocationResult } from '../results/result.ts';
import { timesOf } from './build-window.ts';
import type { Gathered } from './gathered.ts';

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
