/**
 * Faults, phases and recoveries.
 * @module
 */
import type { OutageResult, PhaseResult, RecoveryResult } from '../../results/outage-result.ts';
import type { RunResult } from '../../results/result.ts';
import { outageChart } from '../chart.ts';
import {
  type Cell,
  type Part,
  type Section,
  type SectionMaker,
  type Subsection,
  type Table,
  tableOf,
} from '../section.ts';
import { ms, number, percent, percentile } from '../tables.ts';

const faultTable = (faults: RunResult['faults']): Table =>
  tableOf(
    '',
    ['planned s', 'begun s', 'done s', 'fault', 'could not be done'],
    faults.map(({ name, fault, planned_s, actual_s, done_s, error }) => [
      number(planned_s, 1),
      actual_s === null ? 'not reached' : number(actual_s, 1),
      done_s === null ? '–' : number(done_s, 1),
      `${name}: ${fault}`,
      error === null ? '' : { text: error, tone: 'bad', isStrong: true },
    ]),
  );

const phaseHead = [
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
];

const phaseRow = (phase: PhaseResult): readonly Cell[] => {
  const { name, kind, window, logouts, cut, leased_checks: leased, refused_as_designed: refused, violations } = phase;
  const { total } = window;
  return [
    kind === 'outage' ? { text: name, isStrong: true } : name,
    `${number(window.from_s, 1)}–${number(window.to_s, 1)}`,
    number(total.requests),
    number(total.ok),
    number(total.expected),
    `${number(total.real)} (${percent(total.real, total.requests)})`,
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

const phaseNotes = ({ lease_s, judged_lease_s, left_out }: OutageResult): readonly string[] => [
  ...(left_out.length === 0 ? [] : [`Left out, because it was not declared: ${left_out.join('; ')}.`]),
  'A request belongs to the phase in which it was sent. Latencies in milliseconds. "Cut": real failures of requests that were in flight when ' +
    'the next outage began; they are judged with that outage. "As designed": real failures, counted in "real" too, which say that the ' +
    'database is away (503): of checks of tokens once the lease has run out, of everything else from the beginning. "Within the lease": ' +
    `real failures of checks sent in the first ${number(judged_lease_s, 1)} s of an outage of the database, for a lease of ${lease_s} s.`,
];

/** Faults and phases. */
const timeline = (result: RunResult, outage: OutageResult): Section => ({
  id: 'faults',
  title: 'Timeline',
  parts: [
    faultTable(result.faults),
    { kind: 'drawing', text: outageChart(result.seconds, outage) },
    ...phaseNotes(outage),
    tableOf('', phaseHead, outage.phases.map(phaseRow)),
  ],
});

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

const usualLine = ({ usual_logout_ms: limit }: OutageResult): string =>
  limit === null
    ? 'what is usual is not known: there were too few logouts before the first outage'
    : `usual is up to ${ms(limit)} ms, three times their p99 before the first outage and at least 25 ms`;

const aimTables = ({ phases }: OutageResult): readonly Table[] => {
  const aims = phases.flatMap((phase) => phase.aims);
  const rows = aims.map(({ criterion, limit, measured, verdict }) => [
    criterion,
    `≤ ${limit}`,
    measured === null ? 'nothing to judge' : number(measured, 3),
    verdict === 'passed' ? 'yes' : verdict === 'failed' ? 'no' : verdict,
  ]);
  const title = 'Stricter aims, which fail nothing';
  return rows.length === 0 ? [] : [tableOf(title, ['aim', 'limit', 'measured', 'kept'], rows)];
};

const recovery = (outage: OutageResult): Section => ({
  id: 'recovery',
  title: 'Recovery',
  parts: [
    'From the healing until the last real failure was sent, and until logouts took their usual time for two seconds on end; ' +
      `${usualLine(outage)}.`,
    outage.recoveries.length === 0
      ? 'Nothing was broken.'
      : tableOf(
          '',
          ['outage', 'begun s', 'healed s', 'watched s', 'failures', 'last failure', 'logouts', 'logouts usual'],
          outage.recoveries.map(recoveryRow),
        ),
    ...aimTables(outage),
  ],
});

const phaseParts = ({ window, errors }: PhaseResult): readonly Part[] => {
  if (window.endpoints.length === 0) return ['No request was sent.'];
  const requests = tableOf(
    '',
    ['request', 'requests', 'ok', 'expected', 'real', 'p50', 'p95', 'p99', 'max ms'],
    window.endpoints.map((endpoint) => [
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
  );
  if (errors.length === 0) return [requests];
  const rows = errors.map(({ kind, method, endpoint, error, occurrences }) => [
    kind === 'real' ? ({ text: 'real failure', tone: 'bad', isStrong: true } as const) : 'expected',
    `${method} ${endpoint}`,
    error,
    number(occurrences),
  ]);
  return [requests, tableOf('Errors', ['outcome', 'request', 'answer', 'times'], rows)];
};

const phaseOf = (phase: PhaseResult): Subsection => ({
  kind: 'subsection',
  title: `Phase: ${phase.name}`,
  parts: phaseParts(phase),
  isFolded: true,
});

/** The faults of a run; none in a run without faults. */
export const faultSections: SectionMaker = (result) => {
  const { outage, faults } = result;
  if (outage === null)
    return faults.length === 0 ? [] : [{ id: 'faults', title: 'Faults', parts: [faultTable(faults)] }];
  return [
    timeline(result, outage),
    recovery(outage),
    { id: 'phases', title: 'Phases', parts: outage.phases.map(phaseOf) },
  ];
};
