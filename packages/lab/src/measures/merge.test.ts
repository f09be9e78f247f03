import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram, percentiles } from '../statistics/histogram.ts';
import { ConsistencyChecker } from './consistency.ts';
import { CustomMeasures } from './custom-measures.ts';
import { Recorder } from './recorder.ts';

const latencies = Array.from({ length: 5000 }, (_, index) => 0.5 + ((index * 7919) % 5000) / 3);

/** As it arrives in another process. */
const sent = <Dump>(dump: Dump): Dump => structuredClone(dump);

test('histograms of several processes merge to the one that a single process would have had', () => {
  const single = new Histogram();
  const parts = [new Histogram(), new Histogram(), new Histogram()];
  for (const [index, latency] of latencies.entries()) {
    single.record(latency);
    parts[index % 3]?.record(latency);
  }
  const merged = new Histogram();
  for (const part of parts) merged.absorb(sent(part.dump()));
  const figures = (histogram: Histogram) => [
    histogram.count,
    histogram.minMs,
    histogram.maxMs,
    ...percentiles.map((percentile) => histogram.at(percentile)),
  ];
  assert.deepEqual(figures(merged), figures(single));
  assert.ok(Math.abs(merged.meanMs - single.meanMs) < 1e-6);
  const empty = new Histogram();
  empty.absorb(sent(new Histogram().dump()));
  assert.deepEqual([empty.count, empty.minMs, empty.maxMs], [0, 0, 0]);
});

test('recorders, checkers, checks and metrics merge', () => {
  const recorders = [new Recorder(), new Recorder()];
  for (const [index, recorder] of recorders.entries()) {
    recorder.startSteady(100);
    for (const [count, sentAtMs] of [50, 150, 160].entries()) {
      const outcome = count === 2 ? ({ kind: 'real', name: '500' } as const) : ({ kind: 'ok', name: 'ok' } as const);
      recorder.record({ method: 'GET', name: `/${index}`, outcome, sentAtMs, answeredAtMs: sentAtMs + 5, bytes: 7 });
      recorder.record({
        method: 'GET',
        name: '/both',
        outcome,
        sentAtMs,
        answeredAtMs: sentAtMs + 5,
        bytes: 7,
        worker: 'w',
      });
    }
    recorder.recordLogout('pending', 150);
  }
  const merged = new Recorder();
  for (const recorder of recorders) merged.absorb(sent(recorder.take()));
  assert.equal(merged.whole.total.count, 12);
  assert.equal(merged.steady?.total.count, 8);
  assert.deepEqual([...merged.whole.endpoints.keys()].toSorted(), ['GET /0', 'GET /1', 'GET /both']);
  assert.equal(merged.whole.endpoints.get('GET /both')?.real, 2);
  assert.equal(merged.whole.workers.get('w'), 6);
  assert.equal(merged.whole.logouts.pending, 2);
  assert.deepEqual(merged.errors.all.map(({ endpoint, occurrences }) => [endpoint, occurrences]).toSorted(), [
    ['/0', 1],
    ['/1', 1],
    ['/both', 2],
  ]);

  const checker = new ConsistencyChecker();
  const other = new ConsistencyChecker();
  const serial = other.issue(1000);
  other.observeSuccessor(serial, 'a', 'b');
  other.observeSuccessor(serial, 'a', 'c');
  checker.absorb(sent(other.take()), 500, (number) => number + 7);
  assert.equal(checker.violationCount, 1);
  assert.deepEqual(checker.violations[0], {
    token: 7,
    rule: 'two successors of one refresh token',
    timeline: [{ atMs: 1500, what: 'token issued' }],
  });

  const custom = new CustomMeasures(['holds'], { sum: 'counter', size: 'trend' });
  const all = new CustomMeasures(['holds'], { sum: 'counter', size: 'trend' });
  for (let count = 0; count < 2; count++) {
    custom.check('holds', true);
    custom.count('sum', 2);
    custom.trend('size', 10);
    all.absorb(sent(custom.take()));
  }
  assert.deepEqual(
    [all.checks.get('holds'), all.counters.get('sum'), all.trends.get('size')?.count],
    [{ passed: 2, failed: 0 }, 4, 2],
  );
  assert.throws(() => all.check('undeclared', true), /add it to `checks`/);
});
