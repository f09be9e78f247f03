import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { readCsv } from '../../../../tests/harness/csv.ts';
import { type RecordedRequest, type Recording, resultOf } from '../../../../tests/harness/lab-recording.ts';
import { folderIn } from '../../../../tests/harness/service.ts';
import type { RunResult } from '../results/result.ts';
import type { EndpointResult, WindowResult } from '../results/window-result.ts';
import type { RunData } from './page/run-data.js';
import { writeResult } from './write-result.ts';

const folder = folderIn({ after });
const schema = readFileSync(fileURLToPath(new URL('../results/result.schema.json', import.meta.url)), 'utf8');
const agrees = new Ajv2020().compile(JSON.parse(schema) as object);

const kinds = ['ok', 'expected', 'real'] as const;

/** Milliseconds as they are recorded: whole microseconds from 0 on. */
const told = ({ latencyMs }: RecordedRequest): number => Math.max(0, Math.round(latencyMs * 1000)) / 1000;

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

type Figures = Readonly<Record<'min' | 'max' | 'mean', number>> & {
  readonly percentiles: Readonly<Record<string, number>>;
};

/** No figure lies outside of the data; smallest, largest and mean are theirs, and a percentile is within a thousandth of its rank. */
const assertWithin = (what: string, data: readonly number[], { min, max, mean, percentiles }: Figures): void => {
  const sorted = data.toSorted((a, b) => a - b);
  const [least = 0, most = 0] = [sorted[0], sorted.at(-1)];
  assert.deepEqual([min, max], [least, most], what);
  assert.ok(mean >= least && mean <= most, `${what}: mean ${mean} in ${least} to ${most}`);
  assert.ok(Math.abs(mean - sum(data) / Math.max(1, data.length)) <= 1e-9 * (1 + mean), `${what}: mean ${mean}`);
  assert.equal(Object.keys(percentiles).length, data.length === 0 ? 0 : 11, what);
  for (const [name, value] of Object.entries(percentiles)) {
    assert.ok(value >= least && value <= most, `${what}: p${name} ${value} in ${least} to ${most}`);
    const atRank = sorted[Math.max(1, Math.ceil((Number(name) / 100) * data.length - 1e-9)) - 1] ?? 0;
    // Past 71 minutes values are not told apart.
    if (atRank < 4e6)
      assert.ok(value >= atRank && value <= atRank * 1.001 + 0.001, `${what}: p${name} ${value}, not ${atRank}`);
  }
  if (data.length > 0) assert.equal(percentiles['100'], most, what);
};

const assertEndpoint = (what: string, requests: readonly RecordedRequest[], figures: EndpointResult): void => {
  assert.deepEqual(
    [figures.requests, ...kinds.map((kind) => figures[kind])],
    [requests.length, ...kinds.map((kind) => requests.filter((request) => request.kind === kind).length)],
    what,
  );
  const { min_ms: min, max_ms: max, mean_ms: mean, percentiles_ms: percentiles } = figures;
  assertWithin(what, requests.map(told), { min, max, mean, percentiles });
  for (const kind of kinds) {
    const [data, times] = [requests.filter((request) => request.kind === kind).map(told), figures[`${kind}_ms`]];
    assert.equal(times?.count ?? 0, data.length, `${what}, ${kind}`);
    if (times === undefined) continue;
    const { max_ms, mean_ms, percentiles_ms } = times;
    assertWithin(`${what}, ${kind}`, data, {
      min: Math.min(...data),
      max: max_ms,
      mean: mean_ms,
      percentiles: percentiles_ms,
    });
  }
};

const assertWindow = (
  what: string,
  requests: readonly RecordedRequest[],
  window: WindowResult,
  areEndpointsAll: boolean,
): void => {
  assertEndpoint(what, requests, window.total);
  for (const key of ['requests', ...kinds] as const)
    assert.equal(sum(window.endpoints.map((endpoint) => endpoint[key])), window.total[key], `${what}: ${key}`);
  for (const endpoint of areEndpointsAll ? window.endpoints : []) {
    const { method, name } = endpoint;
    assertEndpoint(
      name,
      requests.filter((request) => request.name === name && request.method === method),
      endpoint,
    );
  }
  assert.equal(
    sum(Object.values(window.requests_by_worker)),
    requests.filter(({ worker }) => worker !== undefined).length,
    `${what}: workers`,
  );
  for (const [, ms] of window.curve)
    assert.ok(ms >= window.total.min_ms && ms <= window.total.max_ms, `${what}: curve ${ms}`);
};

/** What must be recorded: what an interrupt has cut is nowhere. */
const recordedOf = ({ requests, seconds, isInterrupted }: Recording): readonly RecordedRequest[] =>
  requests.filter(({ answeredSeconds }) => !isInterrupted || answeredSeconds < seconds);

const assertSeconds = ({ seconds, history, whole }: RunResult, requests: readonly RecordedRequest[]): void => {
  for (const key of ['requests', ...kinds] as const)
    assert.equal(sum(seconds.map((second) => second[key])), whole.total[key], `seconds: ${key}`);
  for (const [index, { requests: count, p50_ms, p95_ms, p99_ms }] of seconds.entries()) {
    const data = requests.filter(({ answeredSeconds }) => Math.floor(answeredSeconds) === index).map(told);
    assert.equal(count, data.length, `second ${index}`);
    for (const value of [p50_ms, p95_ms, p99_ms])
      if (value === null) assert.equal(count, 0);
      else assert.ok(value >= Math.min(...data) && value <= Math.max(...data), `second ${index}: ${value}`);
    const recent = requests.filter(
      ({ answeredSeconds }) => answeredSeconds < index + 1 && answeredSeconds >= index - 9,
    );
    const row = history[index];
    for (const value of Object.values(row?.percentiles_ms ?? {}))
      assert.ok(value >= Math.min(...recent.map(told)) && value <= Math.max(...recent.map(told)), `history ${index}`);
    const until = requests.filter(({ answeredSeconds }) => answeredSeconds < index + 1);
    assert.equal(row?.total_requests, until.length);
    assert.equal(row.total_failures, until.filter(({ kind }) => kind === 'real').length);
  }
  const last = history.at(-1);
  assert.deepEqual(
    [
      last?.total_requests,
      last?.total_failures,
      last?.total_median_ms,
      last?.total_mean_ms,
      last?.total_min_ms,
      last?.total_max_ms,
    ],
    [
      whole.total.requests,
      whole.total.real,
      whole.total.percentiles_ms['50'] ?? 0,
      whole.total.mean_ms,
      whole.total.min_ms,
      whole.total.max_ms,
    ],
  );
};

const assertErrors = ({ errors, whole, history, started_at }: RunResult, duration: number): void => {
  for (const kind of ['expected', 'real'] as const) {
    const rows = errors.filter((error) => error.kind === kind);
    assert.equal(sum(rows.map(({ occurrences }) => occurrences)), whole.total[kind]);
    for (const endpoint of whole.endpoints) {
      const own = rows.filter((row) => row.endpoint === endpoint.name && row.method === endpoint.method);
      assert.equal(sum(own.map(({ occurrences }) => occurrences)), endpoint[kind], `${kind} of ${endpoint.name}`);
    }
  }
  const start = Math.floor(Date.parse(started_at) / 1000);
  for (const { first_seen_unix_s: first, last_seen_unix_s: last } of errors)
    assert.ok(first >= start && first <= last && last <= start + duration + 2, `${first} to ${last}, from ${start}`);
  for (const { unix_s } of history) assert.ok(unix_s >= start && unix_s <= start + duration + 2, `${unix_s}, ${start}`);
};

const percentileColumns = ['50%', '66%', '75%', '80%', '90%', '95%', '98%', '99%', '99.9%', '99.99%', '100%'];

const assertCsv = (out: string, { whole, history, exceptions }: RunResult): void => {
  const [stats, rows, failures, faults] = ['stats', 'stats_history', 'failures', 'exceptions'].map((name) =>
    readCsv(readFileSync(`${out}_${name}.csv`, 'utf8')),
  );
  const numbers = (row: Readonly<Record<string, string>>, columns: readonly string[]): readonly number[] =>
    columns.map((column) => Number(row[column])).filter((value) => !Number.isNaN(value));
  for (const row of stats ?? []) {
    const [min = 0, max = 0] = numbers(row, ['Min Response Time', 'Max Response Time']);
    for (const value of numbers(row, ['Median Response Time', 'Average Response Time', ...percentileColumns]))
      assert.ok(value >= min && value <= max, `${row['Name']}: ${value} in ${min} to ${max}`);
  }
  const totals = (columns: readonly string[]): readonly number[] =>
    columns.map((column) => sum((stats ?? []).slice(0, -1).map((row) => Number(row[column]))));
  const { requests, real } = whole.total;
  assert.deepEqual(totals(['Request Count', 'Failure Count']), [requests, real]);
  assert.deepEqual(numbers(stats?.at(-1) ?? {}, ['Request Count', 'Failure Count']), [requests, real]);
  assert.equal(rows?.length, history.length);
  for (const [index, row] of (rows ?? []).entries()) {
    const [min = 0, max = 0] = numbers(row, ['Total Min Response Time', 'Total Max Response Time']);
    for (const value of numbers(row, ['Total Median Response Time', 'Total Average Response Time']))
      assert.ok(value >= min && value <= max, `${value} in ${min} to ${max}`);
    const recent = history[index];
    const [least = 0, most = 0] = [recent?.min_ms, recent?.percentiles_ms['100']];
    for (const value of numbers(row, percentileColumns))
      assert.ok(value >= least && value <= most, `${value} in ${least} to ${most}`);
  }
  if (rows !== undefined && rows.length > 0)
    assert.deepEqual(numbers(rows.at(-1) ?? {}, ['Total Request Count', 'Total Failure Count']), [requests, real]);
  assert.equal(sum((failures ?? []).map((row) => Number(row['Occurrences']))), real);
  assert.equal(sum((faults ?? []).map((row) => Number(row['Count']))), sum(exceptions.map(({ count }) => count)));
};

/** Milliseconds as they are written for people: rounded, so a half may be missing. */
const assertWords = (out: string, { whole }: RunResult): void => {
  const text = readFileSync(`${out}.md`, 'utf8');
  const table = text.slice(text.indexOf('### Whole run')).split('\n\n')[1]?.split('\n').slice(2) ?? [];
  const cells = table.map((row) => row.slice(2, -2).split(' | '));
  const number = (cell = ''): number => Number(cell.replaceAll(',', '').replace(/ \*$/, ''));
  for (const [column, key] of (['requests', ...kinds] as const).entries()) {
    assert.equal(number(cells.at(-1)?.[column + 1]), whole.total[key]);
    assert.equal(sum(cells.slice(0, -1).map((row) => number(row[column + 1]))), whole.total[key]);
  }
  for (const row of cells)
    for (const value of row.slice(6, 10).filter((cell) => cell !== '–'))
      assert.ok(number(value) <= number(row[10]) + (number(row[10]) < 100 ? 0 : 0.5), row.join(' | '));
};

const assertPage = (out: string, { seconds, whole, steady, judged }: RunResult): void => {
  const page = readFileSync(`${out}.html`, 'utf8');
  const [, block = '{}'] = /<script type="application\/json" id="run-data">(.*?)<\/script>/s.exec(page) ?? [];
  const { run } = JSON.parse(block) as { readonly run: RunData };
  for (const key of ['requests', ...kinds] as const)
    assert.equal(sum((run.series[key] ?? []).map((value) => value ?? 0)), whole.total[key], `page: ${key}`);
  for (const key of ['p50_ms', 'p95_ms', 'p99_ms'] as const)
    assert.deepEqual(
      run.series[key],
      seconds.map((second) => second[key]),
    );
  const { total } = judged === 'steady' && steady !== null ? steady : whole;
  for (const [, ms] of run.curve) assert.ok(ms >= total.min_ms && ms <= total.max_ms, `page: curve ${ms}`);
};

let runs = 0;
const assertOneTruth = (recording: Recording, areEndpointsAll = true): RunResult => {
  const out = join(folder, `run${runs++}`);
  writeResult(resultOf(recording), out);
  const result = JSON.parse(readFileSync(`${out}.json`, 'utf8')) as RunResult;
  assert.ok(agrees(result), JSON.stringify(agrees.errors));
  const requests = recordedOf(recording);
  assertWindow('whole', requests, result.whole, areEndpointsAll);
  const { steadyFromSeconds: from } = recording;
  assert.equal(result.steady === null, from === undefined);
  if (result.steady !== null && from !== undefined) {
    const sent = requests.filter(({ answeredSeconds, latencyMs }) => answeredSeconds * 1000 - latencyMs >= from * 1000);
    // One that was sent at that very moment may fall to either side: clocks are floating-point numbers.
    const isClear = ({ answeredSeconds, latencyMs }: RecordedRequest): boolean =>
      answeredSeconds < from || Math.abs(answeredSeconds * 1000 - latencyMs - from * 1000) > 0.001;
    if (requests.every(isClear))
      assertWindow(
        'steady',
        sent.filter(({ answeredSeconds }) => answeredSeconds >= from),
        result.steady,
        areEndpointsAll,
      );
  }
  assertSeconds(result, requests);
  assertErrors(result, recording.seconds);
  assertCsv(out, result);
  assertWords(out, result);
  assertPage(out, result);
  assert.equal(sum(result.exceptions.map(({ count }) => count)), recording.exceptions.length);
  const [trend] = result.own?.trends ?? [];
  assert.equal(trend?.count, recording.values.length);
  assertWithin(
    'trend',
    recording.values.map((value) => Math.round(value * 1000) / 1000),
    trend,
  );
  const counted = result.own?.counters['sum'] ?? 0;
  assert.ok(Math.abs(counted - sum(recording.values)) <= 1e-9 * counted, `${counted}`);
  return result;
};

const latency = fc.oneof(
  { weight: 4, arbitrary: fc.double({ min: 0.01, max: 3000, noNaN: true }) },
  { weight: 2, arbitrary: fc.double({ min: 0, max: 0.003, noNaN: true }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0, -0.4, -1e6, 99.95, 100.4, 0.4, 0.5, 1234.5, 299_999.999, 300_000, 300_001),
  },
  { weight: 1, arbitrary: fc.double({ min: 300_000, max: 1e9, noNaN: true }) },
);

const requestIn = (processes: number, seconds: number): fc.Arbitrary<RecordedRequest> =>
  fc.record({
    process: fc.nat({ max: processes - 1 }),
    answeredSeconds: fc.double({ min: 0, max: seconds + 0.99, noNaN: true }),
    method: fc.constantFrom('GET', 'POST'),
    name: fc.constantFrom('/', '/a', '/a b', '/a b c'),
    kind: fc.constantFrom(...kinds),
    error: fc.constantFrom('500', 'b c', 'c', 'no answer: timeout'),
    latencyMs: latency,
    bytes: fc.nat(),
    worker: fc.constantFrom(undefined, 'm/1', 'm/2'),
  });

const recordings: fc.Arbitrary<Recording> = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 14 }))
  .chain(([processes, seconds]) =>
    fc.record({
      processes: fc.constant(processes),
      seconds: fc.constant(seconds),
      requests: fc.array(requestIn(processes, seconds), { maxLength: 60 }),
      steadyFromSeconds: fc.option(fc.nat({ max: seconds - 1 }), { nil: undefined }),
      isInterrupted: fc.boolean(),
      exceptions: fc.array(fc.constantFrom('a', 'b'), { maxLength: 5 }),
      values: fc.array(fc.double({ min: 0, max: 4_000_000, noNaN: true }), { maxLength: 5 }),
    }),
  );

test('whatever is recorded, every figure of every file lies within the data, and all sums are equal', () => {
  fc.assert(
    fc.property(recordings, (recording) => void assertOneTruth(recording)),
    { numRuns: 100 },
  );
});

const many = (count: number, change: (index: number) => Partial<RecordedRequest>): readonly RecordedRequest[] =>
  Array.from({ length: count }, (_, index) => ({
    process: index % 2,
    answeredSeconds: (index % 30) / 10,
    method: 'GET',
    name: '/',
    kind: 'real',
    error: '500',
    latencyMs: index % 50,
    bytes: 1,
    worker: undefined,
    ...change(index),
  }));

const run: Recording = {
  processes: 2,
  seconds: 3,
  requests: [],
  steadyFromSeconds: 1,
  isInterrupted: false,
  exceptions: [],
  values: [],
};

test('what is more than is told apart is counted under one name, and sums are still equal', () => {
  for (const processes of [1, 2]) {
    const of = (requests: readonly RecordedRequest[], exceptions: readonly string[] = []) =>
      assertOneTruth(
        {
          ...run,
          processes,
          requests: requests.map((each) => ({ ...each, process: each.process % processes })),
          exceptions,
        },
        false,
      );
    const endpoints = of(many(1400, (index) => ({ name: `/${index % 700}` }))).whole;
    assert.equal(endpoints.endpoints.length, 501);
    assert.equal(endpoints.endpoints.find(({ name }) => name === 'other endpoints')?.requests, 400);
    // Each error twice, the second time when no more are told apart.
    const { errors } = of(many(2400, (index) => ({ error: `5${index % 1200}`, answeredSeconds: index / 1000 })));
    assert.equal(errors.length, 1001);
    assert.equal(errors.find(({ error }) => error === 'other errors')?.occurrences, 400);
    assert.ok(errors.filter(({ error }) => error !== 'other errors').every(({ occurrences }) => occurrences === 2));
    const workers = of(many(2400, (index) => ({ worker: `w${index % 1200}` }))).whole.requests_by_worker;
    assert.equal(Object.keys(workers).length, 1001);
    const { exceptions } = of(
      [],
      Array.from({ length: 300 }, (_, index) => `row ${index % 150} is missing`),
    );
    assert.equal(exceptions.length, 101);
    assert.equal(exceptions.find(({ message }) => message === 'other exceptions')?.count, 100);
  }
});

test('a run without a request has no figure that is none', () => {
  const result = assertOneTruth({ ...run, requests: [] });
  assert.equal(result.whole.total.requests, 0);
  assert.deepEqual(result.whole.total.percentiles_ms, {});
});
