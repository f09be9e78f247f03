import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostileText, labResult } from '../../../../tests/harness/lab-result.ts';
import { bottleneckSentence, findBottleneck } from './bottleneck.ts';
import { markdownReport } from './markdown.ts';
import { meanScore, scoresOf } from './score-card.ts';

test('what was at its limit when latency rose is named, and what was busy all the time is not', () => {
  const found = findBottleneck(labResult());
  assert.equal(found.slowPoints, 10);
  assert.deepEqual(
    found.evidence.filter(({ isNamed }) => isNamed).map(({ resource }) => resource),
    [
      'CPU of the machine: target and generator together',
      'transactions waiting for a database connection',
      'Redis not connected',
      'something was broken on purpose',
    ],
  );
});

test('where latency did not rise nothing is named', () => {
  const calm = labResult().seconds.map((second) => ({ ...second, p95_ms: 80 }));
  const found = findBottleneck(labResult(60, { seconds: calm }));
  assert.ok(found.evidence.every(({ isNamed }) => !isNamed));
  assert.match(bottleneckSentence(found), /did not rise/);
});

test('the score is the mean of what was counted; what was not is not measured', () => {
  const scores = scoresOf(labResult());
  assert.deepEqual(
    scores.map(({ component, score }) => [component, score]),
    [
      ['mapped techniques', (10 * 40) / 45],
      ['defences', null],
      ['test coverage', null],
      ['documentation', null],
      // Of its four criteria one could not be judged.
      ['performance', 7.5],
    ],
  );
  assert.equal(meanScore(scores)?.toFixed(2), '8.19');
  const [performance] = scoresOf(labResult(60, { exit_code: 3 })).slice(-1);
  assert.equal(performance?.score, null, 'an invalid run says nothing of performance');
  assert.match(markdownReport(labResult()), /8\.2 of 10, over 2 of 5 components; the others are not measured/);
  assert.doesNotMatch(markdownReport(labResult(60, { counted: [] })), /of 10/, 'where nothing was counted');
});

test('the report in Markdown has its parts in order, and text of a hostile target breaks no table of it', () => {
  const report = markdownReport(labResult());
  const headings = [...report.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
  assert.deepEqual(headings.slice(0, 10), [
    'Executive summary',
    'Faults',
    'Connections of the whole run, in no latency',
    'Windows',
    'Errors, expected and real',
    'Bottleneck',
    'Criteria, judged over the steady window',
    'Consistency',
    'Revocation',
    'Validity',
  ]);
  assert.ok(!report.includes(hostileText));
  assert.doesNotMatch(report, /<script|<img/);
  assert.match(report, /\| \*\*real failure\*\* \| GET \/api\/protected \| 503 .* \| 12 \|/);
});
