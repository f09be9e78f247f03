/**
 * Was the promise kept, and how fast?
 * @module
 */
import type { RunResult } from '../result.ts';
import { ms, number } from '../tables.ts';
import type { TimesResult } from '../window-result.ts';
import { html, htmlTable, type Markup } from './markup.ts';

/** Timelines of violations that are shown; the JSON file has more. */
const timelinesMax = 10;

const timesRow = (name: string, { count, percentiles_ms, max_ms }: TimesResult): readonly string[] => [
  name,
  number(count),
  ms(percentiles_ms['50']),
  ms(percentiles_ms['95']),
  ms(percentiles_ms['99']),
  count === 0 ? '–' : ms(max_ms),
];

const timesOf = ({ revocation }: RunResult): Markup | null =>
  revocation === null
    ? null
    : html`${htmlTable(
        `Times in milliseconds; asked: ${revocation.asked === 'workers' ? `${number(revocation.workers.length)} workers` : 'fresh connections, as the target does not name its workers'}`,
        ['from … to', 'samples', 'p50', 'p95', 'p99', 'slowest'],
        [
          timesRow('logout sent … answered', revocation.logout),
          timesRow('logout answered 200 … refused by all, asked at once', revocation.rejection),
          timesRow('logout sent … refused by the slowest worker', revocation.propagation),
        ],
      )}`;

const workersOf = ({ whole }: RunResult): Markup | null =>
  Object.keys(whole.requests_by_worker).length === 0
    ? null
    : htmlTable(
        'Requests by worker',
        ['worker', 'requests'],
        Object.entries(whole.requests_by_worker).map(([worker, requests]) => [worker, number(requests)]),
      );

/** The section. */
export const revocationOf = (result: RunResult): Markup => {
  const { consistency, logouts } = result;
  return html`<section id="revocation"><h2>Revocation</h2>
<p>${number(consistency.revoked_tokens)} tokens were revoked, ${number(consistency.dead_checks)} requests were sent with a token after its logout had been answered, ${number(consistency.rotations)} refresh tokens were rotated: <strong class="${consistency.violations === 0 ? 'good' : 'bad'}">${number(consistency.violations)} violations</strong>. ${number(logouts.completed)} logouts were answered 200, ${number(logouts.pending)} were answered 202.</p>
${timesOf(result)}${workersOf(result)}
${consistency.timelines.slice(0, timelinesMax).map(({ token, rule, events }) =>
  htmlTable(
    `Token ${token}: ${rule}`,
    ['at ms', 'event', 'worker'],
    events.map(({ at_ms, what, worker }) => [number(at_ms, 1), what, worker ?? '']),
  ),
)}</section>`;
};
