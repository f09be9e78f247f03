/**
 * Endpoints and errors.
 * @module
 */
import { samplesMin } from '../../measures/criteria.ts';
import type { RunResult } from '../../results/result.ts';
import type { EndpointResult, WindowResult } from '../../results/window-result.ts';
import { barOf, type Cell, type Part, type Section, type SectionMaker, type Subsection, tableOf } from '../section.ts';
import { ms, number, percent, percentile, successLine } from '../tables.ts';

const endpointHead = [
  'request',
  'requests',
  'share',
  'ok',
  'expected',
  'real',
  'req/s',
  'mean',
  'p50',
  'p95',
  'p99',
  'max ms',
  'p99.9',
  'bytes',
];

const nameOf = ({ method, name }: EndpointResult): string => `${method} ${name}`.trim();

const endpointRow = (endpoint: EndpointResult, all: number): readonly Cell[] => [
  nameOf(endpoint),
  number(endpoint.requests),
  barOf(endpoint.requests / Math.max(1, all), 'plain'),
  number(endpoint.ok),
  number(endpoint.expected),
  { text: number(endpoint.real), ...(endpoint.real > 0 ? { tone: 'bad' } : {}) },
  number(endpoint.requests_per_second, 1),
  ms(endpoint.mean_ms),
  percentile(endpoint, 50),
  percentile(endpoint, 95),
  percentile(endpoint, 99),
  ms(endpoint.max_ms),
  ms(endpoint.percentiles_ms['99.9']),
  number(endpoint.mean_bytes),
];

const outcomes = [
  ['ok', 'ok_ms'],
  ['expected', 'expected_ms'],
  ['real failure', 'real_ms'],
] as const;

const outcomeRows = (endpoint: EndpointResult): readonly (readonly string[])[] =>
  outcomes.flatMap(([outcome, field]) => {
    const times = endpoint[field];
    if (times === undefined) return [];
    const { count, mean_ms, max_ms, percentiles_ms: at } = times;
    const percentiles = ['50', '95', '99'].map((name) => ms(at[name]));
    return [[nameOf(endpoint), outcome, number(count), ms(mean_ms), ...percentiles, ms(max_ms)]];
  });

/**
 * Latencies by outcome: a failure is often much faster than an answer, or as slow as the timeout,
 * and would hide in the latencies of all. None where every request was ok, and in results of
 * earlier versions.
 */
const outcomeTables = ({ endpoints, total }: WindowResult): readonly Part[] => {
  const mixed = endpoints.filter(({ expected, real }) => expected + real > 0);
  const all = mixed.length === 0 ? [] : [{ ...total, method: '', name: 'all' }];
  const rows = [...mixed, ...all].flatMap(outcomeRows);
  const head = ['request', 'outcome', 'requests', 'mean', 'p50', 'p95', 'p99', 'max ms'];
  return rows.length === 0 ? [] : [tableOf('Latency by outcome, of the requests that were not all ok', head, rows)];
};

const windowParts = (window: WindowResult): readonly Part[] => {
  const { endpoints, total } = window;
  const [, ...figures] = endpointRow(total, total.requests);
  const rows = [
    ...endpoints.map((endpoint) => endpointRow(endpoint, total.requests)),
    [{ text: 'all', isStrong: true } as const, ...figures],
  ];
  return [tableOf('', endpointHead, rows), successLine(window), ...outcomeTables(window)];
};

const windowOf = (name: string, window: WindowResult | null, isFolded: boolean): Subsection =>
  window === null
    ? { kind: 'subsection', title: name, parts: ['Not reached: some users never logged in.'] }
    : {
        kind: 'subsection',
        title: `${name}: ${number(window.from_s)} s to ${number(window.to_s)} s`,
        parts: windowParts(window),
        isFolded,
      };

/** The windows of a run, by endpoint. */
export const windowSection: SectionMaker = ({ steady, whole, judged }) => [
  {
    id: 'endpoints',
    title: 'Windows',
    parts: [
      windowOf('Steady window', steady, judged !== 'steady'),
      windowOf('Whole run', whole, judged === 'steady'),
      `* too few samples to be judged: a p50 needs ${samplesMin[50]}, a p95 ${samplesMin[95]}, a p99 ${number(samplesMin[99])}.`,
    ],
  },
];

const seen = (unixSeconds: number, { started_at }: RunResult): string =>
  `${number(Math.max(0, unixSeconds - Date.parse(started_at) / 1000))} s`;

const errorRow = (error: RunResult['errors'][number], result: RunResult): readonly Cell[] => [
  error.kind === 'real'
    ? { text: 'real failure', tone: 'bad', isPill: true, isStrong: true }
    : { text: 'expected', tone: 'expected', isPill: true },
  `${error.method} ${error.endpoint}`,
  error.error,
  number(error.occurrences),
  percent(error.occurrences, result.whole.total.requests),
  seen(error.first_seen_unix_s, result),
  seen(error.last_seen_unix_s, result),
];

/** Errors, expected and real, and exceptions of the scenario. */
export const errorSection: SectionMaker = (result): readonly Section[] => {
  const head = ['outcome', 'request', 'answer', 'times', 'of all requests', 'first seen', 'last seen'];
  const errors =
    result.errors.length === 0
      ? 'None.'
      : tableOf(
          '',
          head,
          result.errors.map((error) => errorRow(error, result)),
        );
  const exceptions = result.exceptions.map(({ message, place = '', count }) => [message, place, number(count)]);
  const parts =
    exceptions.length === 0
      ? [errors]
      : [errors, tableOf('Exceptions in the scenario or the lab', ['message', 'place', 'times'], exceptions)];
  return [{ id: 'errors', title: 'Errors, expected and real', parts }];
};
