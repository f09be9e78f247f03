import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { MemberId } from '@catalytic/protocol/ids';
import type { JournalEntry } from '@catalytic/protocol/journal';
import { Barrier, type Propagation } from './barrier.ts';
import type { Hint, HintListener } from './hint-bus.ts';
import { announceEveryMs } from './rules.ts';
import type { Member, Recorded } from './store.ts';

const leaseMs = 1000;
const fullWaitMs = 1200;
const answerMs = 600;
const [self, other] = ['self' as MemberId, 'other' as MemberId];
const complete: Propagation = { propagation: 'complete' };

const recorded = (position: string): Recorded => ({
  entries: [{ id: `entry ${position}`, kind: 'session', key: 'a', keepUntilMs: 1e9 } as unknown as JournalEntry],
  position,
});

/** A barrier whose members are what `rows` says; positions count up. */
const open = (t: TestContext, list?: () => Promise<readonly Member[]>) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const rows = new Map<MemberId, Member>([
    [self, { id: self, state: 'live', leaseMs, applied: null, kind: 'worker', seen: 0 }],
  ]);
  const heard: JournalEntry[] = [];
  const settled: JournalEntry[] = [];
  const announced: Hint[] = [];
  const problems: string[] = [];
  const told: (readonly [string, number, unknown?])[] = [];
  let listener: HintListener | undefined;
  let isUnderstood = true;
  const barrier = new Barrier({
    reader: {
      memberIds: [self],
      hear: (entries) => {
        heard.push(...entries);
        return isUnderstood;
      },
      settle: (entries) => settled.push(...entries),
    },
    bus: {
      announce: (hint) => announced.push(hint),
      listen: (given) => {
        listener = given;
      },
    },
    members: {
      list: list ?? (async () => [...rows.values()]),
      markLeaving: async (ids) => {
        for (const id of ids) {
          const row = rows.get(id);
          if (row !== undefined) rows.set(id, { ...row, state: 'leaving' });
        }
      },
      remove: async (ids) => {
        for (const id of ids) rows.delete(id);
      },
      covers: (applied, position) => Number(position) <= Number(applied),
    },
    clocks: {
      monoMs: () => Date.now(),
      wallMs: () => Date.now(),
      after: (ms, call) => {
        const timer = setTimeout(call, ms);
        return () => clearTimeout(timer);
      },
    },
    answerMs,
    onProblem: (message) => problems.push(message),
    observer: {
      onSettled: (ms, propagation) => told.push(['settled', ms, propagation]),
      onConfirmed: (ms, by) => told.push(['confirmed', ms, by]),
      onMarked: (members) => told.push(['marked', members]),
    },
  });
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 10) {
      t.mock.timers.tick(10);
      await turn();
    }
  };
  /** Revokes; the answer appears in it when it comes. */
  const revoke = async (position: string): Promise<{ answer?: Propagation }> => {
    const result: { answer?: Propagation } = {};
    void barrier.settle(recorded(position)).then((answer) => {
      result.answer = answer;
    });
    await turn();
    return result;
  };
  const join = (
    id: MemberId,
    applied: string | null = null,
    state: Member['state'] = 'live',
    itsLeaseMs: number | null = leaseMs,
  ): void => {
    rows.set(id, { id, state, leaseMs: itsLeaseMs, applied, kind: 'worker', seen: 0 });
  };
  return {
    barrier,
    rows,
    heard,
    settled,
    announced,
    problems,
    told,
    pass,
    revoke,
    join,
    onHint: (hint: Hint) => listener?.onHint(hint, () => {}),
    onAcknowledged: (hint: Hint) => listener?.onAcknowledged(hint),
    acknowledge: (announcement: string, members: MemberId[]) => listener?.onAcknowledgement({ announcement, members }),
    understandNothing: () => {
      isUnderstood = false;
    },
  };
};

test('a process alone answers at once, and its own view has the entries', async (t) => {
  const { revoke, heard } = open(t);
  assert.deepEqual((await revoke('1')).answer, complete);
  assert.equal(heard.length, 1);
});

test('a revoke waits for each member to acknowledge this announcement', async (t) => {
  const { revoke, join, pass, announced, acknowledge } = open(t);
  join(other);
  const first = await revoke('1');
  await pass(10);
  const second = await revoke('2');
  await pass(10);
  assert.equal(announced.length, 2);
  acknowledge(announced[0]?.announcement ?? '', [other]);
  await pass(10);
  assert.deepEqual([first.answer, second.answer], [complete, undefined]);
  acknowledge(announced[1]?.announcement ?? '', [other]);
  await turn();
  assert.deepEqual(second.answer, complete);
});

test('what a member wrote that it applied counts from that position on, and its row gone counts as well', async (t) => {
  const { revoke, join, rows, pass } = open(t);
  join(other, '4');
  const result = await revoke('5');
  await pass(100);
  assert.equal(result.answer, undefined);
  join(other, '5');
  await pass(60);
  assert.deepEqual(result.answer, complete);
  const next = await revoke('6');
  rows.delete(other);
  await pass(60);
  assert.deepEqual(next.answer, complete);
});

test('a member that is leaving is waited for', async (t) => {
  const { revoke, join, pass } = open(t);
  join(other, null, 'leaving');
  const result = await revoke('1');
  await pass(100);
  assert.equal(result.answer, undefined);
});

test('members that were asked for before the commit say nothing about it', async (t) => {
  const lists: ((rows: readonly Member[]) => void)[] = [];
  const { revoke, pass } = open(t, () => new Promise((resolve) => lists.push(resolve)));
  const alone: Member[] = [{ id: self, state: 'live', leaseMs, applied: null, kind: 'worker', seen: 0 }];
  const first = await revoke('1');
  // In the same millisecond: time cannot tell which was first.
  const second = await revoke('2');
  lists[0]?.(alone);
  await pass(20);
  assert.deepEqual([first.answer, second.answer], [complete, undefined]);
  assert.equal(lists.length, 2);
  lists[1]?.([...alone, { id: other, state: 'live', leaseMs, applied: '1', kind: 'worker', seen: 0 }]);
  await pass(10);
  assert.equal(second.answer, undefined);
});

test('after the answer time a revoke is pending until the full wait since its commit, and then true by itself', async (t) => {
  const { revoke, join, pass } = open(t);
  join(other);
  const result = await revoke('1');
  await pass(answerMs - 10);
  assert.equal(result.answer, undefined);
  await pass(10);
  assert.deepEqual(result.answer, { propagation: 'pending', completeWithinMs: fullWaitMs - answerMs });
});

test('a revoke waits for the longest lease of those that could lack it, and for the longest there is where a row does not say', async (t) => {
  const { revoke, join, rows, pass } = open(t);
  const third = 'third' as MemberId;
  join(other, null, 'live', 2000);
  join(third, null, 'live', 500);
  const result = await revoke('1');
  await pass(answerMs);
  assert.deepEqual(result.answer, { propagation: 'pending', completeWithinMs: 2400 - answerMs });
  join(other, '1', 'live', 2000);
  const next = await revoke('2');
  join(other, '2', 'live', 2000);
  await pass(answerMs);
  assert.deepEqual(next.answer, complete, 'the short lease is over by then');
  rows.clear();
  join('of the version before' as MemberId, null, 'live', null);
  const unsaid = await revoke('3');
  await pass(answerMs);
  assert.deepEqual(unsaid.answer, { propagation: 'pending', completeWithinMs: 72_000 - answerMs });
});

test('a revoke that will be true before its answer is due waits for that, whoever is lost', async (t) => {
  const { revoke, join, pass } = open(t);
  join(other, null, 'live', 500);
  const result = await revoke('1');
  await pass(20);
  join(other, null, 'leaving', 500);
  await pass(answerMs - 30);
  assert.equal(result.answer, undefined);
  await pass(10);
  assert.deepEqual(result.answer, complete);
});

test('a member that falls silent while nothing is revoked is evicted, and delays no revoke', async (t) => {
  const { barrier, revoke, join, rows, pass } = open(t);
  const lost = 'lost' as MemberId;
  join(lost, '0');
  barrier.watch();
  for (let second = 1; rows.has(lost) && second < 20; second++) {
    join(self, String(second));
    join(other, String(second));
    await pass(1000);
  }
  assert.deepEqual([...rows.keys()].toSorted(), [other, self].toSorted());
  join(other, '1000');
  assert.deepEqual((await revoke('1')).answer, complete);
  barrier.close();
});

test('a revoke is answered in time when the members cannot be read', async (t) => {
  const { revoke, pass, problems } = open(t, async () => {
    throw new Error('The database is away');
  });
  const result = await revoke('1');
  await pass(answerMs);
  assert.equal(result.answer?.propagation, 'pending');
  assert.ok(problems.length > 0);
});

test('a silent member costs one slow answer, later ones are pending at once, and after its removal all is as before', async (t) => {
  const { revoke, join, rows, pass } = open(t);
  join(other);
  const first = await revoke('1');
  await pass(answerMs);
  assert.equal(first.answer?.propagation, 'pending');
  assert.equal(rows.get(other)?.state, 'leaving');
  await pass(410);
  const second = await revoke('2');
  assert.equal(second.answer?.propagation, 'pending');
  await pass(fullWaitMs);
  assert.equal(rows.has(other), false);
  assert.deepEqual((await revoke('3')).answer, complete);
});

test('a guard is silent after two seconds without an acknowledgement, however many revokes were answered meanwhile', async (t) => {
  const { rows, revoke, pass, announced, acknowledge, told } = open(t);
  const guard = 'guard' as MemberId;
  rows.set(guard, { id: guard, state: 'live', leaseMs, applied: null, kind: 'guard', seen: 0 });
  const marks = (): number => told.filter(([what]) => what === 'marked').length;
  // One that acknowledges late, again and again, is not silent.
  for (let index = 0; index < 4; index++) {
    const late = await revoke(String(index));
    await pass(1000);
    assert.equal(late.answer?.propagation, 'pending');
    acknowledge(announced.at(-1)?.announcement ?? '', [guard]);
  }
  assert.equal(marks(), 0);
  await revoke('5');
  await pass(1000);
  await revoke('6');
  await pass(900);
  assert.equal(marks(), 0);
  await revoke('7');
  await pass(200);
  assert.equal(marks(), 1);
  await pass(fullWaitMs);
  assert.equal(rows.has(guard), false);
});

test('a hint is acknowledged only when every entry in it was understood', async (t) => {
  const { onHint, understandNothing } = open(t);
  const hint = { announcement: 'one', entries: recorded('1').entries };
  assert.equal(onHint(hint), true);
  understandNothing();
  assert.equal(onHint(hint), false);
});

test('our own entries need no acknowledgement, those of others are settled when theirs has left', async (t) => {
  const { revoke, settled, onHint, onAcknowledged } = open(t);
  await revoke('1');
  assert.deepEqual(
    settled.map(({ id }) => id),
    ['entry 1'],
  );
  const hint = { announcement: 'one', entries: recorded('2').entries };
  onHint(hint);
  assert.equal(settled.length, 1);
  onAcknowledged(hint);
  assert.equal(settled.length, 2);
});

test('the first revoke is announced at once; with many members those that follow wait for each other', async (t) => {
  const { revoke, join, pass, announced } = open(t);
  for (let index = 0; index < 31; index++) join(`member ${index}` as MemberId);
  await revoke('1');
  await pass(10);
  assert.equal(announced.length, 1);
  await revoke('2');
  await pass(20);
  await revoke('3');
  assert.equal(announced.length, 1, `${announceEveryMs(32)} ms have not passed`);
  await pass(20);
  assert.deepEqual(
    announced.map(({ entries }) => entries.length),
    [1, 2],
  );
});

test('deliveries of hints are bounded while all members revoke all the time, until the journal is as fast', () => {
  const perSecond = (members: number): number => (members * (members - 1) * 1000) / announceEveryMs(members);
  for (const members of [2, 4, 8, 32, 50]) assert.equal(Math.round(perSecond(members)), 25_000);
  assert.deepEqual([announceEveryMs(1), announceEveryMs(100), announceEveryMs(1000)], [0, 100, 100]);
});

test('an observer is told once how each member confirmed, and how the revoke was answered', async (t) => {
  const { revoke, join, rows, pass, announced, acknowledge, told } = open(t);
  const [third, fourth] = ['third' as MemberId, 'fourth' as MemberId];
  for (const id of [other, third, fourth]) join(id);
  const result = await revoke('1');
  await pass(10);
  acknowledge(announced[0]?.announcement ?? '', [other]);
  acknowledge(announced[0]?.announcement ?? '', [other]);
  join(third, '1');
  await pass(40);
  rows.delete(fourth);
  await pass(50);
  assert.deepEqual(result.answer, complete);
  assert.deepEqual(told, [
    ['confirmed', 10, 'acknowledgement'],
    ['confirmed', 50, 'journal'],
    ['confirmed', 100, 'gone'],
    ['settled', 100, 'complete'],
  ]);
});

test('an acknowledgement that comes before the members have been read is told once', async (t) => {
  const lists: ((rows: readonly Member[]) => void)[] = [];
  const { revoke, pass, announced, acknowledge, told } = open(t, () => new Promise((resolve) => lists.push(resolve)));
  await revoke('1');
  await pass(10);
  acknowledge(announced[0]?.announcement ?? '', [other]);
  lists[0]?.([{ id: other, state: 'live', leaseMs, applied: '1', kind: 'worker', seen: 0 }]);
  await pass(10);
  assert.deepEqual(
    told.map(([what, , how]) => [what, how]),
    [
      ['confirmed', 'acknowledgement'],
      ['settled', 'complete'],
    ],
  );
});

test('an observer is told of members that were marked and of an answer that is pending', async (t) => {
  const { revoke, join, pass, told } = open(t);
  join(other);
  await revoke('1');
  await pass(answerMs);
  assert.deepEqual(told, [
    ['marked', 1],
    ['settled', answerMs, 'pending'],
  ]);
});
