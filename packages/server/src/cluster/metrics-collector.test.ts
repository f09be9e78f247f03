import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { MetricsSnapshot } from '../telemetry/metrics.ts';
import { MetricsCollector } from './metrics-collector.ts';

const snapshot = (worker: number): MetricsSnapshot => ({ worker, metrics: [] });

const open = () => {
  const asked: number[] = [];
  const collector = new MetricsCollector((id) => {
    asked.push(id);
    return true;
  });
  /** Collects; the workers that answered appear here at the end. */
  const collect = () => {
    const result: { workers?: readonly number[] } = {};
    void collector.collect().then((snapshots) => {
      result.workers = snapshots.map(({ worker }) => worker);
    });
    return { result, id: asked.at(-1) ?? -1 };
  };
  return { collector, collect };
};

test('a collection ends when every worker asked has answered, in whatever order messages arrive', async () => {
  const { collector, collect } = open();
  const { result, id } = collect();
  collector.take(id, snapshot(2));
  collector.expect(id, 2);
  await turn();
  assert.equal(result.workers, undefined);
  collector.take(id, snapshot(3));
  await turn();
  assert.deepEqual(result.workers, [2, 3]);
});

test('a collection without other workers ends at once', async () => {
  const { collector, collect } = open();
  const { result, id } = collect();
  collector.expect(id, 0);
  await turn();
  assert.deepEqual(result.workers, []);
  assert.deepEqual(await new MetricsCollector(() => false).collect(), []);
});

test('a worker that does not answer within half a second is left out, and its answer counts for no later request', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { collector, collect } = open();
  const first = collect();
  collector.expect(first.id, 2);
  collector.take(first.id, snapshot(2));
  t.mock.timers.tick(499);
  await turn();
  assert.equal(first.result.workers, undefined);
  t.mock.timers.tick(1);
  await turn();
  assert.deepEqual(first.result.workers, [2]);
  const second = collect();
  collector.take(first.id, snapshot(3));
  collector.expect(second.id, 1);
  collector.take(second.id, snapshot(2));
  await turn();
  assert.deepEqual(second.result.workers, [2]);
});

test('a supervisor that does not answer leaves the asked worker alone', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { result } = open().collect();
  t.mock.timers.tick(500);
  await turn();
  assert.deepEqual(result.workers, []);
});
