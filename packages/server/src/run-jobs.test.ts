import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Job, jobsOf, roundMs, startJobs } from './run-jobs.ts';
import type { JobName } from './telemetry/job-observer.ts';

const job = (name: JobName, run: Job['run'], everyMs = roundMs): Job => ({
  name,
  run,
  everyMs,
  runsIn: 'every process',
});

/** Starts jobs on a mocked timer, and collects the reports about them. */
const started = (t: TestContext, jobs: readonly Job[]) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const told: string[] = [];
  const stop = startJobs({
    jobs,
    time: () => ({ nowMs: 1, forgetMs: 2 }),
    observer: { onSuccess: (name) => told.push(`${name} done`), onFailure: (name) => told.push(`${name} failed`) },
    onFailure: (name, error) => told.push(`${name}: ${(error as Error).message}`),
  });
  const pass = async (rounds: number): Promise<void> => {
    for (let round = 0; round < rounds; round++) {
      t.mock.timers.tick(roundMs);
      await new Promise(setImmediate);
    }
  };
  return { told, stop, pass };
};

test('each job runs at its own interval, those of one round in the order of the table', async (t) => {
  const { told, pass } = started(t, [job('sweep_view', () => {}), job('purge_audit', () => {}, 3 * roundMs)]);
  await pass(4);
  assert.deepEqual(told, [
    ...['sweep_view done', 'sweep_view done', 'sweep_view done', 'purge_audit done'],
    'sweep_view done',
  ]);
});

test('a job that fails is named and tried again, and the others have their turn', async (t) => {
  const failing = job('purge_journal', async () => {
    throw new Error('away');
  });
  const { told, pass } = started(t, [failing, job('purge_sessions', () => {})]);
  await pass(2);
  const round = ['purge_journal failed', 'purge_journal: away', 'purge_sessions done'];
  assert.deepEqual(told, [...round, ...round]);
});

test('a round never overlaps another, and costs no job its turn', async (t) => {
  const slow = Promise.withResolvers<void>();
  const { told, pass } = started(t, [
    job('load_signing_keys', () => slow.promise),
    job('purge_audit', () => {}, 2 * roundMs),
  ]);
  await pass(4);
  assert.deepEqual(told, []);
  slow.resolve();
  await new Promise(setImmediate);
  await pass(2);
  assert.deepEqual(told, [
    'load_signing_keys done',
    'load_signing_keys done',
    'purge_audit done',
    'load_signing_keys done',
  ]);
});

test('a stop waits for the round that runs, and none follows', async (t) => {
  const hanging = Promise.withResolvers<void>();
  const { told, pass, stop } = started(t, [job('sweep_view', () => hanging.promise)]);
  await pass(1);
  const stopped = stop().then(() => told.push('stopped'));
  hanging.resolve();
  await stopped;
  await pass(2);
  assert.deepEqual(told, ['sweep_view done', 'stopped']);
});

test('a job runs where its table says: in every process, in one of a machine, or where the folder is held', () => {
  const jobs = (['every process', 'one of a machine', 'the holder of the data folder'] as const).map((runsIn) => ({
    ...job('sweep_view', () => {}),
    runsIn,
  }));
  const places = (workerNumber: number, ownsDataFolder: boolean) =>
    jobsOf(jobs, { workerNumber, ownsDataFolder }).map(({ runsIn }) => runsIn);
  assert.deepEqual(places(2, false), ['every process']);
  assert.deepEqual(places(1, false), ['every process', 'one of a machine']);
  assert.deepEqual(places(1, true), ['every process', 'one of a machine', 'the holder of the data folder']);
});
