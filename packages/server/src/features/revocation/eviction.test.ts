import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { MemberId } from '@catalytic/protocol/ids';
import { Eviction } from './eviction.ts';

const leaseMs = 500;
const silent = 'silent' as MemberId;

const open = (t: TestContext, mark: () => Promise<void> = async () => {}) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const calls: string[] = [];
  const eviction = new Eviction({
    members: {
      list: async () => [],
      markLeaving: async (ids) => {
        calls.push(`mark ${ids}`);
        await mark();
      },
      remove: async (ids) => {
        calls.push(`remove ${ids}`);
      },
      covers: () => false,
    },
    clocks: {
      monoMs: () => Date.now(),
      wallMs: () => Date.now(),
      after: (ms, call) => {
        const timer = setTimeout(call, ms);
        return () => clearTimeout(timer);
      },
    },
    onProblem: () => {},
  });
  const pass = async (ms: number): Promise<void> => {
    t.mock.timers.tick(ms);
    await turn();
  };
  return { eviction, calls, pass };
};

test('a member is removed a full wait after its mark is known to be durable', async (t) => {
  const durable = Promise.withResolvers<void>();
  const { eviction, calls, pass } = open(t, () => durable.promise);
  eviction.start([{ id: silent, leaseMs }]);
  await pass(10_000);
  durable.resolve();
  await turn();
  await pass(1.2 * leaseMs - 1);
  assert.deepEqual(calls, ['mark silent']);
  await pass(1);
  assert.deepEqual(calls, ['mark silent', 'remove silent']);
});

test('a member is removed a full wait of its own lease after its mark, or of the longest there is', async (t) => {
  const { eviction, calls, pass } = open(t);
  eviction.start([
    { id: silent, leaseMs },
    { id: 'slow' as MemberId, leaseMs: 30_000 },
  ]);
  await pass(0);
  await pass(1.2 * 30_000 - 1);
  assert.deepEqual(calls, ['mark silent,slow']);
  await pass(1);
  assert.deepEqual(calls, ['mark silent,slow', 'remove silent,slow']);
  eviction.start([{ id: 'of the version before' as MemberId, leaseMs: null }]);
  await pass(0);
  await pass(1.2 * 60_000 - 1);
  assert.equal(calls.length, 3);
  await pass(1);
  assert.equal(calls.length, 4);
});

test('a member that is being evicted is not marked again, and one that could not be marked is', async (t) => {
  let isFailing = true;
  const { eviction, calls, pass } = open(t, async () => {
    if (isFailing) throw new Error('The database is away');
  });
  eviction.start([{ id: silent, leaseMs }]);
  await pass(0);
  isFailing = false;
  eviction.start([{ id: silent, leaseMs }]);
  eviction.start([{ id: silent, leaseMs }]);
  await pass(0);
  await pass(1.2 * leaseMs);
  assert.deepEqual(calls, ['mark silent', 'mark silent', 'remove silent']);
});

test('a member is lost once it has had time to come back and its removal comes too late', async (t) => {
  const { eviction, pass } = open(t);
  assert.equal(eviction.isLost(silent, 0), false);
  eviction.start([{ id: silent, leaseMs }]);
  await pass(0);
  await pass(499);
  assert.equal(eviction.isLost(silent, 550), false);
  await pass(1);
  assert.equal(eviction.isLost(silent, 550), true);
  assert.equal(eviction.isLost(silent, 650), false);
});
