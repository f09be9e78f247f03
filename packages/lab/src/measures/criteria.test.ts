import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeWindow } from './criteria.ts';
import { Histogram } from './histogram.ts';
import { Window } from './window.ts';

const criteria = { p50MsMax: 100, p95MsMax: 500, p99MsMax: 1000, realFailuresPercentMax: 1 };

const windowOf = (requests: number, latencyMs: (index: number) => number, realFailures = 0): Window => {
  const window = new Window();
  for (let index = 0; index < requests; index++)
    window.record({
      method: 'GET',
      name: '/x',
      outcome: { kind: index < realFailures ? 'real' : 'ok', name: 'x' },
      sentAtMs: 0,
      answeredAtMs: latencyMs(index),
      bytes: 10,
    });
  return window;
};

const verdicts = (window: Window, pending = 0) =>
  Object.fromEntries(
    judgeWindow(window, criteria, { completed: 1000 - pending, pending }).map(({ criterion, verdict }) => [
      criterion,
      verdict,
    ]),
  );

test('percentiles with too few samples are not judged and fail nothing', () => {
  const slow = verdicts(windowOf(150, () => 5000));
  assert.deepEqual([slow['p50, ms'], slow['p95, ms'], slow['p99, ms']], ['failed', 'not judged', 'not judged']);
  assert.equal(verdicts(windowOf(999, () => 5000))['p99, ms'], 'not judged');
  assert.equal(verdicts(windowOf(1000, () => 5000))['p99, ms'], 'failed');
});

test('a slow hundredth fails the p99 alone', () => {
  const judged = verdicts(windowOf(2000, (index) => (index % 50 === 0 ? 3000 : 10)));
  assert.deepEqual([judged['p50, ms'], judged['p95, ms'], judged['p99, ms']], ['passed', 'passed', 'failed']);
});

test('more than one real failure in a hundred fails', () => {
  assert.equal(verdicts(windowOf(1000, () => 1, 10))['real failures, %'], 'passed');
  assert.equal(verdicts(windowOf(1000, () => 1, 11))['real failures, %'], 'failed');
});

test('more than one pending logout in a thousand fails', () => {
  assert.equal(
    verdicts(
      windowOf(1000, () => 1),
      1,
    )['logouts answered 202, %'],
    'passed',
  );
  assert.equal(
    verdicts(
      windowOf(1000, () => 1),
      2,
    )['logouts answered 202, %'],
    'failed',
  );
});

test('each endpoint is judged on its own: a small one cannot hide behind a large one', () => {
  const window = windowOf(1000, () => 1);
  const few = { method: 'POST', name: '/y', sentAtMs: 0, answeredAtMs: 1, bytes: 0 };
  window.record({ ...few, outcome: { kind: 'real', name: '500' } });
  window.record({ ...few, outcome: { kind: 'expected', name: '401' } });
  const judged = judgeWindow(window, { endpointFailuresPercentMax: 1 }, { completed: 1, pending: 0 });
  assert.deepEqual(
    judged.map(({ criterion, verdict }) => [criterion, verdict]),
    [
      ['real failures of GET /x, %', 'passed'],
      ['real failures of POST /y, %', 'failed'],
      ['logouts answered 202, %', 'passed'],
    ],
  );
});

test('rejection is judged at the strictest percentile that its samples allow', () => {
  const rejection = new Histogram();
  const judged = (): readonly (readonly [string, string])[] =>
    judgeWindow(new Window(), { rejectedMsMax: 100 }, { completed: 1, pending: 0 }, rejection)
      .slice(0, 1)
      .map(({ criterion, verdict }) => [criterion.slice(-7, -4), verdict]);
  assert.equal(judged()[0]?.[1], 'not judged');
  for (let count = 0; count < 980; count++) rejection.record(5);
  for (let count = 0; count < 19; count++) rejection.record(500);
  assert.deepEqual(judged(), [['p95', 'passed']]);
  rejection.record(500);
  assert.deepEqual(judged(), [['p99', 'failed']]);
});
