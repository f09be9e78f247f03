/**
 * What the report in words says of a run that was broken on purpose: when what happened, each phase, and each recovery.
 * @module
 */
import { outageChart } from './chart.ts';
import type { OutageResult, PhaseResult, RecoveryResult } from './outage-result.ts';
import type { RunResult } from './result.ts';
import { faultTable, ms, number, percent, percentile, table } from './tables.ts';

const phaseRow = (phase: PhaseResult): readonly string[] => {
  const { name, window, logouts, cut, leased_checks: leased, refused_as_designed: refused, violations } = phase;
  const { total } = window;
  const { requests, ok, expected, real } = total;
  return [
    phase.kind === 'outage' ? `**${name}**` : name,
    `${number(window.from_s, 1)}–${number(window.to_s, 1)}`,
    number(requests),
    number(ok),
    number(expected),
    `${number(real)} (${percent(real, requests)})`,
    number(cut),
    refused === null ? '' : number(refused),
    leased === null ? '' : `${number(leased.real)} of ${number(leased.requests)}`,
    `${number(logouts.completed)} / ${number(logouts.pending)}`,
    percentile(total, 50),
    percentile(total, 95),
    percentile(total, 99),
    number(violations),
  ];
};

const recoveryRow = (recovery: RecoveryResult): readonly string[] => {
  const { name, begun_s, healed_s, watched_s, failures, failures_end_ms, logouts, logouts_usual_ms, not_judged } =
    recovery;
  const usual = logouts_usual_ms === null ? '–' : `${ms(logouts_usual_ms)} ms`;
  return [
    name,
    number(begun_s, 1),
    healed_s === null ? 'not healed' : number(healed_s, 1),
    watched_s === null ? '–' : number(watched_s, 1),
    number(failures),
    failures_end_ms === null ? '–' : failures === 0 ? 'none' : `${ms(failures_end_ms)} ms`,
    number(logouts),
    not_judged === null ? usual : `not judged: ${not_judged}`,
  ];
};

const errorList = ({ errors }: PhaseResult): string =>
  errors.length === 0
    ? ''
    : `\n\n${errors
        .map(
          ({ kind, method, endpoint, error, occurrences }) =>
            `- ${kind === 'real' ? '**real failure**' : 'expected'}: ${method} ${endpoint}: ${error}, ${number(occurrences)} times`,
        )
        .join('\n')}`;

const phaseSection = (phase: PhaseResult): string =>
  `### Phase: ${phase.name}\n\n${
    phase.window.endpoints.length === 0
      ? 'No request was sent.'
      : table(
          ['request', 'requests', 'ok', 'expected', 'real', 'p50', 'p95', 'p99', 'max ms'],
          phase.window.endpoints.map((endpoint) => [
            `${endpoint.method} ${endpoint.name}`,
            number(endpoint.requests),
            number(endpoint.ok),
            number(endpoint.expected),
            number(endpoint.real),
            percentile(endpoint, 50),
            percentile(endpoint, 95),
            percentile(endpoint, 99),
            ms(endpoint.max_ms),
          ]),
        )
  }${errorList(phase)}`;

const aims = ({ phases }: OutageResult): string => {
  const all = phases.flatMap((phase) => phase.aims);
  return all.length === 0
    ? ''
    : `\nStricter aims, which fail nothing:\n\n${table(
        ['aim', 'limit', 'measured', 'kept'],
        all.map(({ criterion, limit, measured, verdict }) => [
          criterion,
          `≤ ${limit}`,
          measured === null ? 'nothing to judge' : number(measured, 3),
          verdict === 'passed' ? 'yes' : verdict === 'failed' ? 'no' : verdict,
        ]),
      )}\n`;
};

const leftOut = ({ left_out }: OutageResult): string =>
  left_out.length === 0 ? '' : `\nLeft out, because it was not declared: ${left_out.join('; ')}.\n`;

const usual = ({ usual_logout_ms: limit }: OutageResult): string =>
  limit === null
    ? 'what is usual is not known: there were too few logouts before the first outage'
    : `usual is up to ${ms(limit)} ms, three times their p99 before the first outage and at least 25 ms`;

/** The story of a broken run; empty for any other. */
export const outageSection = ({ outage, faults, seconds }: RunResult): string =>
  outage === null
    ? ''
    : `## Timeline

${faultTable(faults)}

\`\`\`
${outageChart(seconds, outage)}
\`\`\`
${leftOut(outage)}
A request belongs to the phase in which it was sent. Latencies in milliseconds. *Cut*: real failures of requests that were in flight when
the next outage began; they are judged with that outage. *As designed*: real failures, counted in "real" too, that
say that the database is away (503): of checks of tokens once the lease has run out, of all else from the beginning. *Within the lease*:
real failures of checks sent in the first ${number(outage.judged_lease_s, 1)} s of an outage of the database, for a lease of ${outage.lease_s} s.

${table(
  [
    'phase',
    'seconds',
    'requests',
    'ok',
    'expected',
    'real',
    'cut',
    'as designed',
    'within the lease',
    'logouts 200 / 202',
    'p50',
    'p95',
    'p99',
    'violations',
  ],
  outage.phases.map(phaseRow),
)}

## Recovery

From the healing until the last real failure was sent, and until logouts took their usual time for two seconds on end; ${usual(outage)}.

${
  outage.recoveries.length === 0
    ? 'Nothing was broken.'
    : table(
        ['outage', 'begun s', 'healed s', 'watched s', 'failures', 'last failure', 'logouts', 'logouts usual'],
        outage.recoveries.map(recoveryRow),
      )
}
${aims(outage)}
`;

/** Each phase by endpoint; empty for a run that was not broken. */
export const phaseSections = ({ outage }: RunResult): string =>
  outage === null ? '' : `## Phases\n\n${outage.phases.map(phaseSection).join('\n\n')}\n\n`;
