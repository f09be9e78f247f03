/**
 * From the checker's findings to the result.
 * @module
 */
import type { ConsistencyChecker } from '../measures/consistency.ts';
import type { RunResult } from '../results/result.ts';

/** Builds the part of the result about consistency. */
export const buildConsistency = (checker: ConsistencyChecker): RunResult['consistency'] => ({
  revoked_tokens: checker.revokedTokens,
  dead_checks: checker.deadChecks,
  rotations: checker.rotations,
  violations: checker.violationCount,
  timelines: checker.violations.map(({ token, rule, timeline }) => ({
    token,
    rule,
    events: timeline.map(({ atMs, what, worker }) => ({
      at_ms: atMs,
      what,
      ...(worker === undefined ? {} : { worker }),
    })),
  })),
});
