import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CrowdPlan, startCrowd } from './closed-users.ts';

type Task = 'work';

interface Worker {
  readonly index: number;
  readonly tasks: Task[];
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const planOf = (parts: Partial<CrowdPlan<Task, Worker>>): { plan: CrowdPlan<Task, Worker>; workers: Worker[] } => {
  const workers: Worker[] = [];
  const plan = {
    users: 3,
    spawnRate: 1000,
    seed: 'seed',
    behaviour: { weights: { work: 1 }, waitMs: [10, 20] as const },
    create: (index: number) => {
      const worker = { index, tasks: [] };
      workers.push(worker);
      return worker;
    },
    enter: async () => {},
    act: async ({ tasks }: Worker, task: Task) => {
      tasks.push(task);
    },
    isReady: () => true,
    ...parts,
  };
  return { plan, workers };
};

test('users start at their rate', async () => {
  const { plan, workers } = planOf({ users: 10, spawnRate: 50 });
  const crowd = startCrowd(plan);
  await sleep(90);
  assert.ok(workers.length >= 2 && workers.length <= 6, `${workers.length} after 90 ms`);
  await sleep(200);
  assert.equal(crowd.started, 10);
  crowd.stop();
  await crowd.ended;
});

test('a user has one task at a time, and waits for its answer', async () => {
  let running = 0;
  let most = 0;
  const { plan } = planOf({
    users: 1,
    act: async () => {
      running += 1;
      most = Math.max(most, running);
      await sleep(30);
      running -= 1;
    },
  });
  const crowd = startCrowd(plan);
  await sleep(200);
  crowd.stop();
  await crowd.ended;
  assert.equal(most, 1);
  assert.ok(crowd.tasks >= 2 && crowd.tasks <= 6, `${crowd.tasks} tasks`);
});

test('a stop wakes sleepers, starts nothing more and waits for what runs', async () => {
  const { plan, workers } = planOf({
    users: 3,
    spawnRate: 2,
    behaviour: { weights: { work: 1 }, waitMs: [60_000, 60_000] },
  });
  const crowd = startCrowd(plan);
  await sleep(20);
  crowd.stop();
  await crowd.ended;
  assert.equal(workers.length, 1);
  assert.equal(crowd.tasks, 0);
});

test('a fault of a scenario is kept with its count and ends no user', async () => {
  const { plan } = planOf({
    act: async () => {
      throw new Error('planted');
    },
  });
  const crowd = startCrowd(plan);
  await sleep(120);
  crowd.stop();
  await crowd.ended;
  const [exception, ...others] = crowd.exceptions;
  assert.deepEqual(others, []);
  assert.equal(exception?.message, 'planted');
  assert.equal(exception?.count, crowd.tasks);
  assert.ok(crowd.tasks > 3);
  assert.equal(crowd.inFlight, 0);
});

test('a user counts as ready once, when it first is', async () => {
  const { plan } = planOf({ isReady: ({ tasks }) => tasks.length >= 2 });
  const crowd = startCrowd(plan);
  assert.equal(crowd.ready, 0);
  await sleep(200);
  assert.equal(crowd.ready, 3);
  crowd.stop();
  await crowd.ended;
});

test('a start that the event loop delays is late', async () => {
  const { plan } = planOf({ users: 1 });
  const crowd = startCrowd(plan);
  await sleep(5);
  const untilMs = performance.now() + 150;
  while (performance.now() < untilMs);
  await sleep(30);
  crowd.stop();
  await crowd.ended;
  assert.equal(crowd.lateStarts, 1);
});
