import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeValidity, type RunConditions } from './validity.ts';

const healthy: RunConditions = {
  leftOutPercent: 0,
  isInterrupted: false,
  failedFaults: 0,
  changes: 0,
  exceptions: 0,
  unsent: 0,
  requests: 10_000,
  generatorCpuPercents: Array.from({ length: 100 }, () => 40),
  loopDelayP99Ms: 5,
  loopBusyPercent: 35,
  tasks: 10_000,
  lateStarts: 3,
  droppedStarts: undefined,
  foreignCpuPercent: 4,
  little: { users: 1000, tasksPerSecond: 495, responseSeconds: 0.02, waitSeconds: 2 },
};

const broken = (run: Partial<RunConditions>): readonly string[] =>
  judgeValidity({ ...healthy, ...run })
    .filter(({ verdict }) => verdict === 'broken')
    .map(({ rule }) => rule);

test('a healthy run keeps every rule', () => {
  assert.deepEqual(broken({}), []);
});

const seconds = (calm: number, starved: number): readonly number[] => [
  ...Array.from({ length: calm }, () => 40),
  ...Array.from({ length: starved }, () => 97),
];

test('a starved generator, a late loop, late starts and a shared machine each break their own rule', () => {
  assert.deepEqual(broken({ generatorCpuPercents: seconds(90, 10) }), [
    'generator CPU in 95 % of the seconds, % of a core',
  ]);
  assert.deepEqual(broken({ loopDelayP99Ms: 80 }), ['event-loop delay p99, ms']);
  assert.deepEqual(broken({ loopBusyPercent: 95 }), ['event loop busy, % of the time']);
  assert.deepEqual(broken({ lateStarts: 200 }), ['late starts, %']);
  assert.deepEqual(broken({ foreignCpuPercent: 25 }), ['CPU of others and steal, % of the machine']);
});

test('a starved second in twenty is no saturation', () => {
  assert.deepEqual(broken({ generatorCpuPercents: seconds(95, 5) }), []);
});

test('a run that was cut short, had no request or had a fault of the lab cannot be believed', () => {
  assert.deepEqual(broken({ leftOutPercent: 40 }), ['duration left out, %']);
  assert.deepEqual(broken({ isInterrupted: true }), ['interrupts'], 'while the last answers were waited for, too');
  assert.deepEqual(broken({ changes: 1 }), ['changes of the users by hand']);
  assert.deepEqual(broken({ requests: 0 }), ['windows without a request']);
  assert.deepEqual(broken({ exceptions: 1 }), ['exceptions in the lab']);
  assert.deepEqual(broken({ unsent: 1 }), ['requests without a port or descriptor here']);
});

test("users that are not explained by Little's law break it", () => {
  const little = { users: 1000, tasksPerSecond: 400, responseSeconds: 0.02, waitSeconds: 2 };
  assert.deepEqual(broken({ little }), ["deviation from Little's law, %"]);
});

test('what could not be measured is not judged', () => {
  const checks = judgeValidity({ ...healthy, foreignCpuPercent: undefined, little: undefined });
  assert.deepEqual(
    checks.filter(({ verdict }) => verdict === 'not judged').map(({ measured }) => measured),
    [null, null],
  );
});
