import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeValidity, type RunConditions } from './validity.ts';

const healthy: RunConditions = {
  generatorCpuPercent: 40,
  loopDelayP99Ms: 5,
  tasks: 10_000,
  lateStarts: 3,
  foreignCpuPercent: 4,
  little: { users: 1000, requestsPerSecond: 495, responseSeconds: 0.02, waitSeconds: 2 },
};

const broken = (run: Partial<RunConditions>): readonly string[] =>
  judgeValidity({ ...healthy, ...run })
    .filter(({ verdict }) => verdict === 'broken')
    .map(({ rule }) => rule);

test('a healthy run keeps every rule', () => {
  assert.deepEqual(broken({}), []);
});

test('a starved generator, a late loop, late starts and a shared machine each break their own rule', () => {
  assert.deepEqual(broken({ generatorCpuPercent: 97 }), ['generator CPU, % of a core']);
  assert.deepEqual(broken({ loopDelayP99Ms: 80 }), ['event-loop delay p99, ms']);
  assert.deepEqual(broken({ lateStarts: 200 }), ['late starts, %']);
  assert.deepEqual(broken({ foreignCpuPercent: 25 }), ['CPU of others and steal, % of the machine']);
});

test("users that are not explained by Little's law break it", () => {
  const little = { users: 1000, requestsPerSecond: 400, responseSeconds: 0.02, waitSeconds: 2 };
  assert.deepEqual(broken({ little }), ["deviation from Little's law, %"]);
});

test('what could not be measured is not judged', () => {
  const checks = judgeValidity({ ...healthy, foreignCpuPercent: undefined, little: undefined });
  assert.deepEqual(
    checks.filter(({ verdict }) => verdict === 'not judged').map(({ measured }) => measured),
    [null, null],
  );
});
