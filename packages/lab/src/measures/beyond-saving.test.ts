import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { talliesOf } from './beyond-saving.ts';
import type { Criteria } from './criteria.ts';
import { combine } from './criterion.ts';
import { CustomMeasures } from './custom-measures.ts';
import { judgeCriteria } from './judge-criteria.ts';
import { readCriteria } from './read-criteria.ts';
import { Window } from './window.ts';

const recordInto = (window: Window, count: number, latencyMs: number, kind: 'ok' | 'real'): void => {
  for (let index = 0; index < count; index++)
    window.record({
      method: 'GET',
      name: '/x',
      outcome: { kind, name: 'x' },
      sentAtMs: 0,
      answeredAtMs: latencyMs,
      bytes: 0,
    });
};

const asked: Criteria = {
  p50MsMax: 100,
  p95MsMax: 100,
  realFailuresPercentMax: 1,
  endpointFailuresPercentMax: 2,
  endpoints: { 'GET /x': { p99MsMax: 100 } },
  checks: { holds: { failedPercentMax: 5 } },
  trends: { value: { p95Max: 10, maxMax: 20, minMin: 1, meanMax: 1 } },
};

test('what is beyond saving fails in truth, if all that follows is right and fast; and what is right is never beyond saving', () => {
  const few = fc.nat(400);
  void fc.assert(
    fc.property(few, few, few, few, (fast, slow, failed, more) => {
      const window = new Window();
      const custom = new CustomMeasures(['holds'], { value: 'trend' });
      const add = (count: number, isRight: boolean): void => {
        for (let index = 0; index < count; index++) {
          custom.check('holds', isRight);
          custom.trend('value', isRight ? 5 : 30);
        }
      };
      recordInto(window, fast, 10, 'ok');
      recordInto(window, slow, 500, 'ok');
      recordInto(window, failed, 10, 'real');
      add(fast, true);
      add(failed, false);
      const criteria = combine(readCriteria(asked, 'key'));
      const lost = criteria.filter((each) =>
        talliesOf(each, { window, custom, rejection: undefined }).some(({ isLost }) => isLost(more)),
      );
      if (slow === 0 && failed === 0) assert.deepEqual(lost, []);
      recordInto(window, more, 10, 'ok');
      add(more, true);
      for (const { verdict, criterion } of judgeCriteria(lost, {
        window,
        custom,
        seconds: 10,
        rejection: undefined,
        logouts: undefined,
      }))
        assert.equal(verdict, 'failed', criterion);
    }),
    { numRuns: 60 },
  );
});

test('what nothing can save is said to be beyond saving', () => {
  const window = new Window();
  recordInto(window, 1000, 500, 'ok');
  recordInto(window, 200, 10, 'real');
  const custom = new CustomMeasures(['holds'], { value: 'trend' });
  const names = (more: number): readonly string[] =>
    combine(readCriteria(asked, 'key'))
      .filter((each) => talliesOf(each, { window, custom, rejection: undefined }).some(({ isLost }) => isLost(more)))
      .map(({ of, measure }) => `${of} ${measure}`);
  assert.deepEqual(names(100), ['run p50', 'run p95', 'run failures', 'run endpoint-failures', 'endpoint p99']);
  assert.deepEqual(names(1_000_000), []);
});
