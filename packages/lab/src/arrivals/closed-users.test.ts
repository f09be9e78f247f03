import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CrowdPlan, startCrowd } from './closed-users.ts';
import { steadyUsers } from './stages.ts';

type Task = 'work';

interface Worker {
  readonly index: number;
  readonly tasks: Task[];
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const planOf = (parts: Partial<CrowdPlan<Task, Worker>>): { plan: CrowdPlan<Task, Worker>; workers: Worker[] } => {
  const workers: Worker[] = [];
  const plan = {
    users: steadyUsers(3, 1000),
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
  const { plan, workers } = planOf({ users: steadyUsers(10, 50) });
  const crowd = startCrowd(plan);
  await sleep(90);
  assert.ok(workers.length >= 2 && workers.length < 10, `${workers.length} after 90 ms`);
  await sleep(200);
  assert.equal(crowd.started, 10);
  crowd.stop();
  await crowd.ended;
});

test('a user has one task at a time, and waits for its answer', async () => {
  let running = 0;
  let most = 0;
  const { plan } = planOf({
    users: steadyUsers(1, 1000),
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
    users: steadyUsers(3, 2),
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
  const { plan } = planOf({ users: steadyUsers(1, 1000) });
  const crowd = startCrowd(plan);
  await sleep(5);
  const untilMs = performance.now() + 150;
  while (performance.now() < untilMs);
  await sleep(30);
  crowd.stop();
  await crowd.ended;
  assert.equal(crowd.lateStarts, 1);
});

/** Waits for something however busy the machine is. */
const until = async (holds: () => boolean): Promise<void> => {
  for (let tries = 0; tries < 500 && !holds(); tries++) await sleep(10);
  assert.ok(holds());
};

test('users come and go as planned, the last to come first, and the same ones come back', async () => {
  const left: number[] = [];
  const entered: number[] = [];
  let wanted = 4;
  const { plan, workers } = planOf({
    users: { usersMax: 4, usersAt: () => wanted },
    enter: async ({ index }) => void entered.push(index),
    leave: async ({ index }, isEnd) => void (isEnd || left.push(index)),
  });
  const crowd = startCrowd(plan);
  await until(() => crowd.isReady);
  wanted = 1;
  await until(() => left.length === 3);
  assert.equal(crowd.active, 1);
  wanted = 2;
  await until(() => entered.length === 5);
  crowd.stop();
  await crowd.ended;
  assert.deepEqual(left.toSorted(), [1, 2, 3]);
  assert.deepEqual(entered, [0, 1, 2, 3, 1]);
  assert.equal(workers.length, 4);
});

test('the time of users is counted while they are there', async () => {
  const startMs = performance.now();
  const { plan } = planOf({ users: steadyUsers(5, 1e6), startMs });
  const crowd = startCrowd(plan);
  await sleep(100);
  crowd.stop();
  const passedMs = performance.now() - startMs;
  assert.ok(Math.abs(crowd.userMs - 5 * passedMs) < 100, `${crowd.userMs} ms of users in ${passedMs} ms`);
});

test('processes share the users among them and leave nobody out', async () => {
  const seen: number[] = [];
  const crowds = [0, 1, 2].map((first) =>
    startCrowd(
      planOf({
        users: steadyUsers(10, 1000),
        share: { first, of: 3 },
        create: (index: number) => {
          seen.push(index);
          return { index, tasks: [] };
        },
      }).plan,
    ),
  );
  await until(() => crowds.every(({ isReady }) => isReady));
  for (const crowd of crowds) crowd.stop();
  await Promise.all(crowds.map(({ ended }) => ended));
  assert.deepEqual(
    seen.toSorted((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
});

test('with pacing the wait counts from the beginning of a task', async () => {
  const begun: number[] = [];
  const { plan } = planOf({
    users: steadyUsers(1, 1000),
    behaviour: { weights: { work: 1 }, waitMs: [300, 300], isPacing: true },
    act: async () => {
      begun.push(performance.now());
      await sleep(200);
    },
  });
  const crowd = startCrowd(plan);
  await until(() => begun.length === 3);
  crowd.stop();
  await crowd.ended;
  const twoMs = (begun[2] ?? 0) - (begun[0] ?? 0);
  assert.ok(twoMs >= 598 && twoMs < 950, `two paces took ${twoMs} ms`);
});
