import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { AnswerCounts, countAnswer } from './answer-counts.ts';
import { jobNames } from './job-observer.ts';
import { metricTable } from './metric-table.ts';
import { Metrics, type MetricsSnapshot, scraper } from './metrics.ts';

const watched = (size: number) => ({
  reader: { currencyAgeMs: () => 120, isCurrent: () => true, members: 2 },
  view: { size, isFull: false },
  polls: { live: 3, held: 2, pages: { load: 1, news: 5, empty: 8 } },
  hasher: { busy: 1, queued: 7 },
  stores: { connections: () => ({ total: 5, idle: 3, waiting: 4 }), walBytes: () => 4096 },
});

const metricsOf = (worker: number, size = 0): Metrics => {
  const metrics = new Metrics(worker);
  metrics.watch(watched(size));
  metrics.watchHttp(new AnswerCounts(), () => 1);
  metrics.jobs(jobNames);
  return metrics;
};

/** A snapshot as it arrives from another process. */
const sent = async (metrics: Metrics): Promise<MetricsSnapshot> =>
  JSON.parse(JSON.stringify(await metrics.snapshot())) as MetricsSnapshot;

const linesOf = (page: string, name: string): readonly string[] =>
  page.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));

test('every metric of the table is on the page, and nothing else', async () => {
  const metrics = metricsOf(1);
  metrics.bus('redis');
  const page = await scraper(metrics, async () => [], 1)();
  const shown = page.matchAll(/^# TYPE (\S+) (\S+)$/gm).map(([, name, kind]) => `${name} ${kind}`);
  assert.deepEqual(
    [...shown].sort(),
    Object.values(metricTable)
      .map(({ name, kind }) => `${name} ${kind}`)
      .sort(),
  );
});

test('every label that is shown is in the table, with a value that is in the table', async () => {
  const metrics = metricsOf(1);
  metrics.bus('redis');
  const page = await scraper(metrics, async () => [], 1)();
  const known = new Map<string, ReadonlySet<string>>();
  for (const description of Object.values(metricTable))
    for (const [label, values] of Object.entries('labels' in description ? description.labels : {}))
      known.set(label, new Set([...(known.get(label) ?? []), ...values]));
  let labels = 0;
  for (const [, label = '', value = ''] of page.matchAll(/[{,]([a-z]+)="([^"]*)"/g)) {
    if (label === 'worker' || label === 'le') continue;
    labels++;
    assert.ok(known.get(label)?.has(value), `${label}="${value}"`);
  }
  assert.ok(labels > 50, `${labels} labels were looked at`);
});

test('a job shows its runs, its failures and its last success, and one that runs elsewhere shows nothing', async () => {
  const metrics = new Metrics(1);
  const observer = metrics.jobs(['purge_journal', 'purge_audit']);
  observer.onSuccess('purge_journal');
  observer.onFailure('purge_journal');
  const page = await scraper(metrics, async () => [], 1)();
  assert.deepEqual(linesOf(page, 'catalytic_job_runs_total'), [
    'catalytic_job_runs_total{job="purge_journal",worker="1"} 2',
    'catalytic_job_runs_total{job="purge_audit",worker="1"} 0',
  ]);
  assert.deepEqual(linesOf(page, 'catalytic_job_failures_total'), [
    'catalytic_job_failures_total{job="purge_journal",worker="1"} 1',
    'catalytic_job_failures_total{job="purge_audit",worker="1"} 0',
  ]);
  const [success = '', ...others] = linesOf(page, 'catalytic_job_last_success_seconds');
  assert.deepEqual(others, []);
  const seconds = Number(/^\S+\{job="purge_journal",worker="1"\} (\S+)$/.exec(success)?.[1]);
  assert.ok(Math.abs(Date.now() / 1000 - seconds) < 60, success);
});

test('answers are shown by route and class, refusals by code, and nothing that did not happen', async () => {
  const counts = new AnswerCounts();
  const metrics = new Metrics(1);
  metrics.watchHttp(counts, () => undefined);
  countAnswer(counts.of('/auth/verify'), 200);
  counts.refuse('/auth/verify', 'token_expired', 401);
  counts.refuse(undefined, 'route_unknown', 404);
  counts.refuse('/not/mounted', 'internal_error', 500);
  for (let scrape = 0; scrape < 2; scrape++) {
    const page = await scraper(metrics, async () => [], 1)();
    assert.deepEqual(linesOf(page, 'catalytic_answers_total'), [
      'catalytic_answers_total{route="none",class="4xx",worker="1"} 1',
      'catalytic_answers_total{route="none",class="5xx",worker="1"} 1',
      'catalytic_answers_total{route="/auth/verify",class="2xx",worker="1"} 1',
      'catalytic_answers_total{route="/auth/verify",class="4xx",worker="1"} 1',
    ]);
    assert.equal(linesOf(page, 'catalytic_refusals_total').length, 3);
    assert.deepEqual(linesOf(page, 'catalytic_certificate_expiry_seconds'), []);
  }
});

test('observations are counted, in seconds', async () => {
  const metrics = metricsOf(1);
  metrics.revocations.onSettled(4, 'complete');
  metrics.revocations.onSettled(1000, 'pending');
  metrics.revocations.onConfirmed(30, 'journal');
  metrics.revocations.onMarked(2);
  metrics.countRefusedConnection();
  const bus = metrics.bus('redis');
  bus.up(true);
  bus.roundTrip(2);
  bus.message('refused', 'hint');
  const page = await scraper(metrics, async () => [], 1)();
  for (const line of [
    'catalytic_revocation_barrier_seconds_bucket{le="0.005",answer="complete",worker="1"} 1',
    'catalytic_revocation_barrier_seconds_sum{answer="pending",worker="1"} 1',
    'catalytic_revocation_propagation_seconds_sum{by="journal",worker="1"} 0.03',
    'catalytic_revocation_propagation_seconds_count{by="gone",worker="1"} 0',
    'catalytic_revocations_pending_total{worker="1"} 1',
    'catalytic_members_marked_total{worker="1"} 2',
    'catalytic_connections_refused_total{worker="1"} 1',
    'catalytic_currency_age_seconds{worker="1"} 0.12',
    'catalytic_current{worker="1"} 1',
    'catalytic_hash_queue{worker="1"} 7',
    'catalytic_database_connections{state="busy",worker="1"} 2',
    'catalytic_database_waiting{worker="1"} 4',
    'catalytic_bus_up{bus="redis",worker="1"} 1',
    'catalytic_bus_round_trip_seconds_count{worker="1"} 1',
    'catalytic_bus_messages_total{direction="refused",kind="hint",worker="1"} 1',
    'catalytic_bus_messages_total{direction="sent",kind="hint",worker="1"} 0',
  ])
    assert.ok(page.includes(`${line}\n`), `${line} in\n${page}`);
});

test('the workers of a machine stand beside each other, each once', async () => {
  const [one, two] = [metricsOf(1, 11), metricsOf(2, 22)];
  const reloaded = metricsOf(1, 33);
  const page = await scraper(one, async () => [await sent(two), await sent(reloaded)], 4)();
  assert.deepEqual(linesOf(page, 'catalytic_view_entries'), [
    'catalytic_view_entries{worker="1"} 11',
    'catalytic_view_entries{worker="2"} 22',
  ]);
  assert.deepEqual(linesOf(page, 'catalytic_workers'), ['catalytic_workers 4']);
  assert.deepEqual(linesOf(page, 'catalytic_workers_reporting'), ['catalytic_workers_reporting 2']);
});

test('what an engine without a pool does not have is not shown', async () => {
  const metrics = new Metrics(1);
  metrics.watch({ ...watched(0), stores: { connections: () => undefined, walBytes: () => 4096 } });
  const page = await scraper(metrics, async () => [], 1)();
  assert.doesNotMatch(page, /catalytic_database_(connections|waiting)/);
  assert.match(page, /^catalytic_database_wal_bytes\{worker="1"\} 4096$/m);
});

test('scrapes at the same time share one collection, later ones do not', async () => {
  let collections = 0;
  const scrape = scraper(
    metricsOf(1),
    async () => {
      collections++;
      await delay(5);
      return [];
    },
    1,
  );
  const pages = await Promise.all([scrape(), scrape(), scrape()]);
  assert.equal(new Set(pages).size, 1);
  assert.equal(collections, 1);
  await scrape();
  assert.equal(collections, 2);
});

test('the lag of the event loop is how much later than due it came round', async () => {
  const metrics = metricsOf(1);
  await delay(50);
  const until = performance.now() + 150;
  while (performance.now() < until);
  await delay(50);
  const page = await scraper(metrics, async () => [], 1)();
  const [line = ''] = linesOf(page, 'catalytic_nodejs_eventloop_lag_seconds').filter((each) => each.includes('"max"'));
  const seconds = Number(line.split(' ')[1]);
  assert.ok(seconds > 0.1 && seconds < 10, line);
});
