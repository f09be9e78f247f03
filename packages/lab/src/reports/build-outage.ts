/**
 * From the phases and recoveries of a broken run to their figures and verdicts.
 * @module
 */

import { judgePhase, judgeRecovery } from '../measures/outage-criteria.ts';
import type { MeasuredOutage } from '../measures/outage-measure.ts';
import type { Phase } from '../measures/phases.ts';
import type { OutageResult, PhaseResult, RecoveryResult } from '../results/outage-result.ts';
import type { Verdict } from '../results/verdict.ts';
import { buildWindow } from './build-window.ts';
import type { Gathered } from './gathered.ts';

const phaseResult = (phase: Phase, startMs: number, endMs: number): PhaseResult => {
  const { start, toMs = endMs, window, errors, leasedChecks, refusedAsDesigned, cut, violations } = phase;
  const isDatabase = start.leaseEndsAtMs !== undefined;
  return {
    name: start.name,
    kind: start.kind,
    subject: start.subject ?? null,
    window: buildWindow(window, (start.fromMs - startMs) / 1000, (toMs - startMs) / 1000),
    errors: errors.all.map(({ kind, method, endpoint, error, occurrences }) => ({
      kind,
      method,
      endpoint,
      error,
      occurrences,
    })),
    logouts: window.logouts,
    cut,
    leased_checks: isDatabase ? leasedChecks : null,
    refused_as_designed: isDatabase ? refusedAsDesigned : null,
    violations,
    ...judgePhase(phase),
  };
};

const recoveryResult = (measured: MeasuredOutage, usualMs: number | undefined, startMs: number): RecoveryResult => {
  const { outage, beganAtMs, recovery } = measured;
  const { verdicts, failuresEndMs, logoutsUsualMs, notJudged } = judgeRecovery(measured, usualMs);
  return {
    name: outage.name,
    subject: outage.subject,
    begun_s: (beganAtMs - startMs) / 1000,
    healed_s: recovery === undefined ? null : (recovery.healedAtMs - startMs) / 1000,
    watched_s: recovery === undefined ? null : (recovery.endsAtMs - recovery.healedAtMs) / 1000,
    failures: recovery?.failures ?? 0,
    failures_end_ms: failuresEndMs ?? null,
    logouts: recovery?.logouts.length ?? 0,
    logouts_usual_ms: logoutsUsualMs ?? null,
    not_judged: notJudged ?? null,
    verdicts,
  };
};

/** Builds the figures; `null` when the scenario is not broken. */
export const buildOutage = ({ outage, options, before, stoppedAtMs }: Gathered): OutageResult | null => {
  if (outage === undefined || options.outage === undefined) return null;
  const { usualLogoutMs } = outage;
  return {
    lease_s: options.outage.leaseSeconds,
    judged_lease_s: outage.leaseMs / 1000,
    usual_logout_ms: usualLogoutMs ?? null,
    left_out: options.outage.leftOut,
    phases: outage.phases.map((phase) => phaseResult(phase, before.atMs, stoppedAtMs)),
    recoveries: outage.measured.map((measured) => recoveryResult(measured, usualLogoutMs, before.atMs)),
  };
};

/** All that was asked of the target in a broken run. */
export const outageVerdicts = (outage: OutageResult | null): readonly Verdict[] =>
  outage === null ? [] : [...outage.phases, ...outage.recoveries].flatMap(({ verdicts }) => verdicts);
