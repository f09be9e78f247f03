import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labResult } from '../../../../tests/harness/lab-result.ts';
import { capacityMarkdown } from './markdown.ts';
import { type CapacityStep, findLimit, gradeSteps, nextUsers, stepOf as stepOfRun } from './step.ts';

/** A target that answers at once until it has so many requests a second, and then lets users wait: they ask every two seconds. */
const stepOf = (ceiling: number, users: number, more: Partial<CapacityStep> = {}): CapacityStep => {
  const throughput = Math.min(ceiling, users / 2);
  const latencyMs = Math.max(2, (users / throughput - 2) * 1000);
  return {
    users,
    isSteady: true,
    throughput,
    concurrency: (throughput * latencyMs) / 1000,
    p50Ms: latencyMs,
    p95Ms: latencyMs * 2,
    p99Ms: latencyMs * 3,
    failedPercent: 0,
    isMet: true,
    exitCode: 0,
    limits: [],
    ...more,
  };
};

const climb = (ceiling: number, rule: Parameters<typeof nextUsers>[1]): readonly number[] => {
  const steps: CapacityStep[] = [];
  for (let users = nextUsers(steps, rule); users !== undefined; users = nextUsers(steps, rule)) {
    assert.ok(steps.length < 30, 'it does not end');
    steps.push(stepOf(ceiling, users));
  }
  return steps.map(({ users }) => users);
};

test('steps double until more users bring nothing, then close in on where that began', () => {
  assert.deepEqual(
    climb(300, { usersFirst: 50, usersMax: 10_000, refinements: 2 }),
    [50, 100, 200, 400, 800, 1600, 1131, 951],
  );
});

test('steps end at the most users allowed, and go down when the first is too many', () => {
  assert.deepEqual(climb(1e9, { usersFirst: 50, usersMax: 300, refinements: 2 }), [50, 100, 200, 300]);
  const rule = { usersFirst: 400, usersMax: 1000, refinements: 0 };
  assert.equal(nextUsers([stepOf(1000, 400, { failedPercent: 5 })], rule), 100);
  assert.equal(nextUsers([stepOf(1000, 1, { isSteady: false })], rule), undefined);
});

test('grades go from optimal to saturated, and never back', () => {
  const grades = gradeSteps([
    stepOf(300, 1600),
    stepOf(300, 400),
    stepOf(300, 500, { p95Ms: 20 }),
    stepOf(300, 700),
    stepOf(300, 3200, { throughput: 600 }),
    stepOf(300, 50),
  ]).map(({ users, grade }) => [users, grade]);
  assert.deepEqual(grades, [
    [50, 'optimal'],
    [400, 'optimal'],
    [500, 'acceptable'],
    [700, 'degraded'],
    [1600, 'saturated'],
    [3200, 'saturated'],
  ]);
});

test('failures, and users that never get in, saturate', () => {
  const gradeOf = (more: Partial<CapacityStep>) => gradeSteps([stepOf(1e9, 50), stepOf(1e9, 100, more)])[1]?.grade;
  assert.equal(gradeOf({}), 'optimal');
  assert.equal(gradeOf({ failedPercent: 0.5 }), 'degraded');
  assert.equal(gradeOf({ failedPercent: 1 }), 'saturated');
  assert.equal(gradeOf({ isSteady: false }), 'saturated');
  assert.equal(gradeOf({ throughput: 0 }), 'saturated');
});

test('a step has met its criteria only when each was judged and kept, and the run may be believed', () => {
  const steps = gradeSteps(
    [0, 2, 3, 6].map((exit_code, index) =>
      stepOfRun(labResult(60, { exit_code, options: { ...labResult().options, users: index + 1 } })),
    ),
  );
  assert.deepEqual(
    steps.map(({ isMet }) => isMet),
    [true, false, false, false],
  );
  const capacity = {
    format: 'catalytic-lab-capacity/1',
    scenario: 'auth',
    startedAt: '2026-01-01',
    stepSeconds: 20,
    spawnRate: 10,
    seed: 'x',
    machine: labResult().machine,
    steps,
    law: null,
    limit: findLimit(steps),
    ended: 'completed',
  } as const;
  const cells = capacityMarkdown(capacity, 'capacity')
    .split('\n')
    .filter((line) => /^\| \d \|/.test(line))
    .map((line) => line.split('|').at(-3)?.trim());
  assert.deepEqual(cells, ['met', 'not met', 'invalid', 'not judged']);
});

test('what is at its limit only under load is named; what always is, is not; the generator is told from the target', () => {
  const limit = (resource: string, percent: number) => ({ resource, percent, limit: '> 0', highest: 1 });
  const find = (calm: number, loaded: number, resource = 'lanes') =>
    findLimit(
      gradeSteps([
        stepOf(300, 50, { limits: [limit(resource, calm)] }),
        stepOf(300, 800),
        stepOf(300, 1600, { limits: [limit(resource, loaded)] }),
      ]),
    );
  assert.deepEqual(find(0, 90).named, [limit('lanes', 90)]);
  assert.equal(find(0, 90).users, 1600);
  assert.deepEqual(find(0, 40).named, []);
  assert.deepEqual(find(60, 90).named, []);
  assert.equal(find(0, 90).isGenerator, false);
  assert.equal(find(0, 90, 'generator: CPU').isGenerator, true);
  assert.deepEqual(findLimit(gradeSteps([stepOf(300, 50)])), { users: undefined, named: [], isGenerator: false });
});
