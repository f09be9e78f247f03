import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { MemberId } from '@catalytic/protocol/ids';
import type { Propagation } from './barrier.ts';
import type { Member } from './store.ts';
import { untilApplied } from './until-applied.ts';

const row = (id: string, leaseMs: number | null, applied: string | null = null): Member => ({
  id: id as MemberId,
  state: 'live',
  leaseMs,
  applied,
  kind: 'worker',
  seen: 0,
});

/** Waits for what stands at position 1, while `rows` says who is a member. */
const open = (t: TestContext, list: () => Promise<readonly Member[]>) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const problems: string[] = [];
  const result: { answer?: Propagation } = {};
  const parts = {
    members: {
      list,
      markLeaving: async () => {},
      remove: async () => {},
      covers: (applied: string, position: string) => Number(position) <= Number(applied),
    },
    clocks: {
      monoMs: () => Date.now(),
      wallMs: () => Date.now(),
      after: (ms: number, call: () => void) => {
        const timer = setTimeout(call, ms);
        return () => clearTimeout(timer);
      },
    },
    onProblem: (message: string) => problems.push(message),
  };
  void untilApplied(parts, { entries: [], position: '1' }).then((answer) => {
    result.answer = answer;
  });
  /** @param stepMs at most the time between two looks */
  const pass = async (ms: number, stepMs = 25): Promise<void> => {
    for (let passed = 0; passed < ms; passed += stepMs) {
      await turn();
      t.mock.timers.tick(stepMs);
    }
    await turn();
  };
  return { result, problems, pass };
};

test('a command that revokes waits until every member has written that it applied the entry', async (t) => {
  let rows = [row('one', 5000, '1'), row('two', 5000)];
  const { result, problems, pass } = open(t, async () => rows);
  await pass(1000);
  assert.equal(result.answer, undefined);
  rows = [row('one', 5000, '1'), row('two', 5000, '1')];
  await pass(50);
  assert.deepEqual(result.answer, { propagation: 'complete' });
  assert.deepEqual(problems, []);
});

for (const [said, leaseMs, fullWaitMs] of [
  ['its row says', 2000, 2400],
  ['any may have, where its row does not say', null, 72_000],
] as const)
  test(`a member that does not confirm is waited for as long as the lease that ${said}, and named`, async (t) => {
    const { result, problems, pass } = open(t, async () => [row('short', 400), row('silent', leaseMs)]);
    await pass(fullWaitMs - 100);
    assert.equal(result.answer, undefined);
    await pass(150);
    assert.deepEqual(result.answer, { propagation: 'complete' });
    assert.match(problems.join(), /^2 processes did not confirm/);
  });

test('while the members cannot be read the longest lease there is is waited for', async (t) => {
  const { result, problems, pass } = open(t, async () => {
    throw new Error('The database is away');
  });
  await pass(71_900);
  assert.equal(result.answer, undefined);
  await pass(150);
  assert.deepEqual(result.answer, { propagation: 'complete' });
  assert.match(problems.join(), /could not be read/);
});
