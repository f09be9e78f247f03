/**
 * Scenario `outage`: the users of `mixed`, while parts that the target uses are paused, killed,
 * emptied and brought back.
 * @module
 */
import { mixed } from './mixed.ts';
import type { Scenario } from './scenario.ts';

/**
 * Judged phase by phase: answers that are right while the database is away would be wrong at any
 * other time.
 */
export const outage: Scenario = {
  ...mixed,
  name: 'outage',
  summary: 'the users of mixed, while Redis, then PostgreSQL, is paused, killed, flushed and brought back',
  criteria: {},
  isBroken: true,
};
