import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { labResult } from '../../../../tests/harness/lab-result.ts';
import { htmlReport } from '../reports/html/page.ts';
import { markdownReport } from '../reports/markdown.ts';
import { parseBaseline, readBaseline } from './read-baseline.ts';

const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const example = pathOf('../../examples/first-report.json');
const schema = JSON.parse(readFileSync(pathOf('../results/baseline.schema.json'), 'utf8')) as object;
const agrees = new Ajv2020().compile(schema);

const sound = { format: 'catalytic-lab-baseline/1', name: 'before', runs: [{ name: 'a', p95_ms: 12 }] };
const parse = (changes: object): unknown => parseBaseline(JSON.stringify({ ...sound, ...changes }));

test('the example agrees with the schema, and is read', () => {
  assert.ok(agrees(JSON.parse(readFileSync(example, 'utf8'))), JSON.stringify(agrees.errors));
  const { name, runs } = readBaseline(example);
  assert.equal(name, 'the report of 3 October 2025');
  assert.deepEqual(runs[0], {
    name: '1,000 users, 50/s, 1 process',
    id: '1',
    users: 1000,
    requests: 68_545,
    requests_per_second: 389,
    failed_percent: 0.95,
    p50_ms: 14,
    p95_ms: 180,
    p99_ms: 2100,
  });
});

test('what the schema refuses is refused with what is allowed', () => {
  const refused: readonly (readonly [object, RegExp])[] = [
    [{ format: 'catalytic-lab/1' }, /its "format" must be "catalytic-lab-baseline\/1"/],
    [{ name: '' }, /it has no "name"/],
    [{ title: 'x' }, /it has a field "title"/],
    [{ notes: 'x' }, /"notes" must be a list/],
    [{ runs: [] }, /"runs" must be a list of 1 to 100/],
    [{ runs: [{ p95_ms: 1 }] }, /run 1 has no "name"/],
    [{ runs: [{ name: 'a', p95: 1 }] }, /run 1 has a field "p95"; there are name, id, users/],
    [{ runs: [{ name: 'a', p95_ms: '1' }] }, /"p95_ms" of run 1 must be a number of 0 or more/],
    [{ runs: [{ name: 'a', failed_percent: 101 }] }, /"failed_percent" of run 1 must be a number from 0 to 100/],
  ];
  assert.doesNotThrow(() => parse({}));
  for (const [changes, reason] of refused) {
    assert.throws(() => parse(changes), reason);
    assert.equal(agrees({ ...sound, ...changes }), false, JSON.stringify(changes));
  }
  assert.throws(() => parseBaseline('{'), /it is no JSON/);
  assert.throws(() => readBaseline('missing.json'), /--baseline missing\.json: cannot read it: ENOENT/);
});

test('both reports set the figures beside those of the run, and none without a baseline', () => {
  const result = labResult(60, { baseline: readBaseline(example) });
  const markdown = markdownReport(result);
  assert.match(markdown, /^## Beside the report of 3 October 2025$/m);
  assert.match(markdown, /^\| this run, whole \| 6,000 \| 100 \|/m);
  assert.match(
    markdown,
    /^\| 1,000 users, 50\/s, 1 process \| 68,545 \| 389 \| 0\.95 % \| – \| 14\.0 \| 180 \| 2,100 \|$/m,
  );
  assert.match(htmlReport(result), /<section id="baseline"><h2>Beside the report of 3 October 2025<\/h2>.*68,545/s);
  for (const report of [markdownReport(labResult()), htmlReport(labResult())])
    assert.doesNotMatch(report, /October 2025|68,545|Auth0/);
});
