import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { readCsv } from '../../../../tests/harness/csv.ts';
import { labResult } from '../../../../tests/harness/lab-result.ts';
import { csvFiles } from './csv.ts';

/** As in `locust/stats.py` of Locust 2.47.0, whose defaults for percentiles are these eleven. */
const percentiles = '50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%';
const headers: Readonly<Record<string, string>> = {
  _stats: `Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,Max Response Time,Average Content Size,Requests/s,Failures/s,${percentiles}`,
  _stats_history: `Timestamp,User Count,Type,Name,Requests/s,Failures/s,${percentiles},Total Request Count,Total Failure Count,Total Median Response Time,Total Average Response Time,Total Min Response Time,Total Max Response Time,Total Average Content Size`,
  _failures: 'Method,Name,Error,Occurrences,First Seen,Last Seen',
  _exceptions: 'Count,Message,Traceback,Nodes',
};

const files = csvFiles(labResult());

const read = (name: string) => readCsv(files[name] ?? '');

test('the result that the derived files are tested with agrees with the schema', () => {
  const schema = readFileSync(fileURLToPath(new URL('../results/result.schema.json', import.meta.url)), 'utf8');
  const validate = new Ajv2020().compile(JSON.parse(schema) as object);
  assert.ok(validate(labResult()), JSON.stringify(validate.errors));
});

test('each file has exactly the columns of Locust 2.47, and its line ends', () => {
  for (const [name, header] of Object.entries(headers)) {
    assert.equal((files[name] ?? '').split('\r\n')[0], header);
    assert.match(files[name] ?? '', /\r\n$/);
  }
  assert.deepEqual(Object.keys(files).sort(), Object.keys(headers).sort());
});

test('figures are written as Locust writes them: whole counts and percentiles, floats with a point, rates with six decimals', () => {
  const [row] = read('_stats');
  assert.equal(row?.['Request Count'], '4000');
  assert.equal(row['Median Response Time'], '12');
  assert.equal(row['Average Response Time'], '20.0');
  assert.equal(row['Min Response Time'], '0.75');
  assert.equal(row['Average Content Size'], '128.0');
  assert.equal(row['95%'], '82');
  assert.ok(Number(row['Requests/s']) > 66.6);
  const [first] = read('_stats_history');
  assert.equal(first?.['Timestamp'], '1790000000');
  assert.equal(first['Requests/s'], '100.000000');
  assert.equal(first['Failures/s'], '0.250000');
  assert.equal(first['Total Average Response Time'], '20.0');
});

test('the last row is the sum of the others, and failures are the real ones only', () => {
  const rows = read('_stats');
  const total = rows.at(-1);
  const sum = (column: string): number => rows.slice(0, -1).reduce((all, row) => all + Number(row[column]), 0);
  assert.equal(total?.['Name'], 'Aggregated');
  assert.equal(total['Type'], '');
  assert.equal(sum('Request Count'), Number(total['Request Count']));
  assert.equal(sum('Failure Count'), Number(total['Failure Count']));
  assert.equal(Number(total['Failure Count']), 12, 'an expected refusal is a right answer');
  const failures = read('_failures');
  assert.deepEqual(
    failures.map(({ Occurrences }) => Occurrences),
    ['12'],
  );
});

test('text of a hostile target stays in its cell, and failures are dated as Locust dates them', () => {
  const [failure] = read('_failures');
  assert.match(failure?.['Error'] ?? '', /^503 "><script>.*, "quoted"\n<\/script>=1\+1$/s);
  assert.equal(failure?.['First Seen'], '2026-09-21T14:13:50Z');
  assert.deepEqual(read('_exceptions'), []);
});
