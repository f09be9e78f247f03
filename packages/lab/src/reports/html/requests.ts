/**
 * Endpoints, errors, phases and faults, as tables.
 * @module
 */
import { judgedWindow } from '../judged-window.ts';
import { outcomeLatencies } from '../outcome-latencies.ts';
import type { RunResult } from '../result.ts';
import { ms, number, percent, percentile, successLine } from '../tables.ts';
import type { EndpointResult, WindowResult } from '../window-result.ts';
import { bar } from './judgements.ts';
import { html, htmlTable, type Markup } from './markup.ts';

const endpointHead = [
  'request',
  'requests',
  'share',
  'a second',
  'ok',
  'expected',
  'real',
  'mean',
  'p50',
  'p95',
  'p99',
  'p99.9',
  'slowest ms',
  'bytes',
];

const endpointRow = (endpoint: EndpointResult, all: number) => [
  `${endpoint.method} ${endpoint.name}`.trim(),
  number(endpoint.requests),
  bar(endpoint.requests / Math.max(1, all), 'plain'),
  number(endpoint.requests_per_second, 1),
  number(endpoint.ok),
  number(endpoint.expected),
  endpoint.real === 0
    ? '0'
    : html`<strong class="bad">${number(endpoint.real)} (${percent(endpoint.real, endpoint.requests)})</strong>`,
  ms(endpoint.mean_ms),
  percentile(endpoint, 50),
  percentile(endpoint, 95),
  percentile(endpoint, 99),
  ms(endpoint.percentiles_ms['99.9']),
  ms(endpoint.max_ms),
  number(endpoint.mean_bytes),
];

/** A window by endpoint. */
const windowTable = (caption: string, { endpoints, total }: WindowResult): Markup =>
  htmlTable(
    caption,
    endpointHead,
    [...endpoints, { ...total, method: '', name: 'all' }].map((endpoint) => endpointRow(endpoint, total.requests)),
  );

const outcomeTable = (window: WindowResult): Markup | null => {
  const latencies = outcomeLatencies(window);
  return latencies === undefined ? null : htmlTable(latencies.title, latencies.head, latencies.rows);
};

/** The endpoints. */
export const endpointsOf = (result: RunResult): Markup => html`<section id="endpoints"><h2>Endpoints</h2>
${windowTable(result.judged === 'steady' ? 'Steady window; latencies in milliseconds' : 'Whole run; latencies in milliseconds', judgedWindow(result))}
${outcomeTable(judgedWindow(result))}
${result.judged === 'steady' ? html`<details><summary>Whole run, the start of the users included</summary>${windowTable('Whole run; latencies in milliseconds', result.whole)}</details>` : null}
<p class="note">* too few samples to be judged.</p></section>`;

const seen = (unixSeconds: number, result: RunResult): string =>
  `${number(Math.max(0, unixSeconds - Date.parse(result.started_at) / 1000))} s`;

const exceptionsOf = ({ exceptions }: RunResult): Markup | null =>
  exceptions.length === 0
    ? null
    : htmlTable(
        'Exceptions in the scenario or the lab',
        ['message', 'place', 'times'],
        exceptions.map(({ message, place = '', count }) => [message, place, number(count)]),
      );

/** Errors, expected and real. */
export const errorsOf = (result: RunResult): Markup => {
  const { whole, errors } = result;
  return html`<section id="errors"><h2>Errors, expected and real</h2>
<p>${successLine(whole)}</p>
${
  errors.length === 0
    ? html`<p>None.</p>`
    : htmlTable(
        'Of the whole run',
        ['answer', 'outcome', 'request', 'times', 'of all requests', 'first seen', 'last seen'],
        errors.map(({ kind, method, endpoint, error, occurrences, first_seen_unix_s, last_seen_unix_s }) => [
          error,
          html`<span class="pill ${kind === 'real' ? 'bad' : 'expected'}">${kind === 'real' ? 'real failure' : 'expected'}</span>`,
          `${method} ${endpoint}`,
          number(occurrences),
          percent(occurrences, whole.total.requests),
          seen(first_seen_unix_s, result),
          seen(last_seen_unix_s, result),
        ]),
      )
}${exceptionsOf(result)}</section>`;
};

const phasesOf = ({ outage }: RunResult): Markup | null =>
  outage === null
    ? null
    : html`${htmlTable(
        'Phases; a request belongs to the one in which it was sent',
        [
          'phase',
          'seconds',
          'requests',
          'ok',
          'expected',
          'real',
          'as designed',
          'logouts 200 / 202',
          'p50',
          'p95',
          'p99 ms',
          'violations',
        ],
        outage.phases.map(({ name, window, refused_as_designed, logouts, violations }) => [
          name,
          `${number(window.from_s, 1)} – ${number(window.to_s, 1)}`,
          number(window.total.requests),
          number(window.total.ok),
          number(window.total.expected),
          `${number(window.total.real)} (${percent(window.total.real, window.total.requests)})`,
          refused_as_designed === null ? '' : number(refused_as_designed),
          `${number(logouts.completed)} / ${number(logouts.pending)}`,
          percentile(window.total, 50),
          percentile(window.total, 95),
          percentile(window.total, 99),
          number(violations),
        ]),
      )}${htmlTable(
        'Recoveries, from the healing',
        ['outage', 'begun s', 'healed s', 'failures', 'last failure after', 'logouts usual after'],
        outage.recoveries.map(
          ({ name, begun_s, healed_s, failures, failures_end_ms, logouts_usual_ms, not_judged }) => [
            name,
            number(begun_s, 1),
            healed_s === null ? 'not healed' : number(healed_s, 1),
            number(failures),
            failures_end_ms === null ? '–' : failures === 0 ? 'none' : `${ms(failures_end_ms)} ms`,
            not_judged ?? (logouts_usual_ms === null ? '–' : `${ms(logouts_usual_ms)} ms`),
          ],
        ),
      )}`;

/** What was broken; nothing where nothing was. */
export const faultsOf = (result: RunResult): Markup | null =>
  result.faults.length === 0
    ? null
    : html`<section id="faults"><h2>Faults</h2>${htmlTable(
        'What was done to the target',
        ['fault', 'planned s', 'begun s', 'done s', 'error'],
        result.faults.map(({ name, fault, planned_s, actual_s, done_s, error }) => [
          `${name}: ${fault}`,
          number(planned_s, 1),
          actual_s === null ? 'not reached' : number(actual_s, 1),
          done_s === null ? '–' : number(done_s, 1),
          error ?? '',
        ]),
      )}${phasesOf(result)}</section>`;
