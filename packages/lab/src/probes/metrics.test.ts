import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startHttpServer } from '../../../../tests/harness/http-server.ts';
import { MetricsScraper } from './metrics-scraper.ts';
import { parsePrometheus } from './prometheus-text.ts';

test('samples are read with their labels; comments, other names and nonsense are not', () => {
  const text = [
    '# HELP wanted what it says',
    'wanted{worker="1",text="a\\"b,}\\n\\\\"} 1.5e2 1730000000',
    'wanted 3',
    'wanted{worker="2"} NaN',
    'wanted{worker="3"} +Inf',
    'wanted{',
    'unwanted 4',
    '',
  ].join('\n');
  assert.deepEqual(
    parsePrometheus(text, (name) => name === 'wanted'),
    [
      { name: 'wanted', labels: { worker: '1', text: 'a"b,}\n\\' }, value: 150 },
      { name: 'wanted', labels: {}, value: 3 },
    ],
  );
});

const scrapeOnce = async (answers: readonly string[], status = 200) => {
  let asked = 0;
  using server = await startHttpServer((_, response) => {
    response.writeHead(status).end(answers[Math.min(asked++, answers.length - 1)]);
  });
  const scraper = new MetricsScraper(`${server.url}/metrics`, 10);
  const startMs = performance.now();
  scraper.start(startMs);
  return await scraper.stop(startMs);
};

test('gauges are summed over the workers, counters become rates, and a worker that was replaced counts from zero', async () => {
  const cpu = (one: number, two: number): string =>
    `catalytic_process_cpu_user_seconds_total{worker="1"} ${one}\ncatalytic_process_cpu_user_seconds_total{worker="2"} ${two}`;
  const database =
    'catalytic_database_connections{worker="1",state="busy"} 3\ncatalytic_database_connections{worker="2",state="busy"} 4\ncatalytic_database_connections{worker="1",state="idle"} 9';
  const { series, reason, missed, atSeconds } = await scrapeOnce([cpu(10, 5), `${cpu(11, 1)}\n${database}`]);
  assert.equal(reason, undefined);
  assert.equal(missed, 0);
  assert.equal(atSeconds.length, 2);
  assert.deepEqual(series['database_busy'], [null, 7]);
  assert.deepEqual(series['database_idle'], [null, 9]);
  const [first, second = 0] = series['cpu'] ?? [];
  assert.equal(first, null);
  // Two CPU-seconds in what elapsed between the scrapes, in per cent of a core.
  const elapsed = (atSeconds[1] ?? 0) - (atSeconds[0] ?? 0);
  assert.ok(Math.abs((second ?? 0) - 200 / elapsed) < 1, `${second} % in ${elapsed} s`);
  assert.ok(!('redis_up' in series), 'what the target does not have is absent');
});

test('a target without metrics has no series, and the reason is said', async () => {
  assert.deepEqual((await scrapeOnce(['no'], 404)).reason, 'it answers 404');
  assert.match((await scrapeOnce(['other_metric 1'])).reason ?? '', /none of the series/);
});
