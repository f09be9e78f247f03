import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { AccessTokenClaims } from '@catalytic/protocol/claims';
import type { MemberId } from '@catalytic/protocol/ids';
import type { JournalEntry } from '@catalytic/protocol/journal';
import { ManualClocks } from '../../../tests/harness/manual-clocks.ts';
import { JournalReader } from './journal-reader.ts';
import type { JournalPage, JournalSource, PlacedEntry } from './journal-source.ts';
import { View } from './view.ts';

const leaseMs = 500;
const entry = (key: string, kind = 'session'): PlacedEntry =>
  ({ id: `id of ${key}`, kind, key, keepUntilMs: 1e9, place: 1n, tenantId: null }) as unknown as PlacedEntry;

interface Call {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly resolve: (value?: unknown) => void;
}

/** A reader whose source answers when, and what, the test says. */
const open = (t: TestContext, view = new View()) => {
  const clocks = new ManualClocks();
  const calls: Call[] = [];
  const names: string[] = [];
  const problems: string[] = [];
  const call =
    (name: string) =>
    (...args: unknown[]): Promise<never> => {
      names.push(name);
      return new Promise((resolve) => calls.push({ name, args, resolve: resolve as Call['resolve'] }));
    };
  const source: JournalSource = {
    register: call('register'),
    read: call('read'),
    acknowledge: call('acknowledge'),
    acknowledgeFor: call('acknowledgeFor'),
    unregister: call('unregister'),
    renameHistory: call('renameHistory'),
    restore: call('restore'),
    close: async () => {},
  };
  const reader = new JournalReader({
    source,
    view,
    clocks,
    leaseMs,
    onProblem: (message, error) => problems.push(`${message} ${error ?? ''}`),
  });
  void reader.start();
  /** Answers the call that is under way, which must be the named one. */
  const answer = async (name: string, value?: unknown): Promise<readonly unknown[]> => {
    await turn();
    const [first] = calls.splice(0, 1);
    assert.equal(first?.name, name);
    first?.resolve(value);
    await turn();
    return first?.args ?? [];
  };
  t.after(() => assert.equal(calls.length, 0, `unanswered: ${calls.map(({ name }) => name)}`));
  const has = (sid: string): boolean => view.isRevoked({ sid, aep: 0, tep: 0 } as AccessTokenClaims, 'kid');
  return { clocks, reader, answer, names, problems, has };
};

const page = (change: Partial<JournalPage<unknown>> = {}): JournalPage<unknown> => ({
  identity: 'one',
  isContinued: true,
  databaseMs: 0,
  isPrimary: true,
  isMember: true,
  members: 1,
  guards: [],
  guardKeysRevision: 0,
  entries: [],
  coverage: { history: 'one', upTo: 0n, id: null, except: [] },
  cursor: 1,
  applied: 'all',
  ...change,
});

/** A reader that has just become current. */
const openCurrent = async (t: TestContext, view?: View) => {
  const opened = open(t, view);
  await opened.answer('register');
  await opened.answer('read', page());
  await opened.answer('acknowledge');
  assert.equal(opened.reader.isCurrent(), true);
  return opened;
};

test('the first read is sent after the registration was committed', async (t) => {
  const { answer, names } = open(t);
  await turn();
  assert.deepEqual(names, ['register']);
  const [registered] = await answer('register');
  const [member, cursor] = await answer('read', page());
  assert.equal(member, registered);
  assert.equal(cursor, undefined);
  await answer('acknowledge');
});

test('the lease counts from the sending of the read, not from its reply', async (t) => {
  const { clocks, reader, answer } = open(t);
  await answer('register');
  clocks.pause(leaseMs - 100);
  await answer('read', page());
  await answer('acknowledge');
  assert.equal(reader.isCurrent(), true);
  clocks.pause(100);
  assert.equal(reader.isCurrent(), false);
});

test('a pause is noticed by the verdict that follows it, before any timer rings', async (t) => {
  const { clocks, reader } = await openCurrent(t);
  clocks.pause(leaseMs);
  assert.equal(reader.isCurrent(), false);
});

test('what is heard makes the view newer and never more trusted', async (t) => {
  const { clocks, reader, has } = await openCurrent(t);
  clocks.pause(leaseMs - 1);
  assert.equal(reader.hear([entry('heard')]), true);
  assert.equal(has('heard'), true);
  clocks.pause(1);
  assert.equal(reader.isCurrent(), false);
  assert.equal(reader.hear([entry('new', 'kind of a newer version')]), false);
});

test('an acknowledgement is written after the entries were applied', async (t) => {
  const { clocks, answer, names, has } = await openCurrent(t);
  await clocks.pass(100);
  await answer('read', page({ entries: [entry('a')], applied: 'a' }));
  assert.equal(names.at(-1), 'acknowledge');
  assert.equal(has('a'), true);
  await answer('acknowledge');
});

test('what was heard is written down all the same, unless its acknowledgement has left', async (t) => {
  const { clocks, reader, answer, names } = await openCurrent(t);
  for (const key of ['settled', 'heard']) reader.hear([entry(key)]);
  reader.settle([entry('settled')]);
  const before = names.length;
  await clocks.pass(100);
  await answer('read', page({ entries: [entry('settled')], applied: 'a' }));
  assert.deepEqual(names.slice(before), ['read']);
  await clocks.pass(100);
  await answer('read', page({ entries: [entry('heard')], applied: 'b' }));
  assert.deepEqual(names.slice(before), ['read', 'read', 'acknowledge']);
  await answer('acknowledge');
});

test('a marked member applies and renews nothing, comes back under a new id, and only after a good read removes the former row', async (t) => {
  const { clocks, reader, answer, names, has } = await openCurrent(t);
  const [first] = reader.memberIds;
  await clocks.pass(400);
  await answer('read', page({ isMember: false, entries: [entry('a')], cursor: 7 }));
  assert.equal(has('a'), true);
  await clocks.pass(100);
  assert.equal(reader.isCurrent(), false, 'renewed by a read of no member');
  const [second] = await answer('register');
  assert.notEqual(second, first);
  assert.deepEqual(reader.memberIds, [first, second]);
  assert.equal(names.includes('unregister'), false);
  const [member, cursor] = await answer('read', page());
  assert.deepEqual([member, cursor], [second, 7]);
  assert.equal(reader.isCurrent(), true);
  assert.deepEqual(await answer('unregister'), [[first]]);
  // The new row is empty, so what the former one said is said again.
  assert.deepEqual(await answer('acknowledge'), [second, 'all']);
  assert.deepEqual(reader.memberIds, [second]);
});

test('a replica renews nothing and moves no cursor', async (t) => {
  const { clocks, reader, answer } = await openCurrent(t);
  await clocks.pass(400);
  await answer('read', page({ isPrimary: false, cursor: 9 }));
  await clocks.pass(100);
  assert.equal(reader.isCurrent(), false);
  const [, cursor] = await answer('read', page());
  assert.equal(cursor, 1);
});

test('with another history of the database nobody is current before the entries are written back and all is read again', async (t) => {
  const { clocks, reader, answer } = await openCurrent(t);
  reader.hear([entry('a')]);
  await clocks.pass(100);
  await answer('read', page({ identity: 'two', cursor: 3 }));
  assert.equal(reader.isCurrent(), false);
  const [written] = await answer('restore');
  assert.deepEqual(
    (written as JournalEntry[]).map(({ kind, key }) => [kind, key]),
    [['session', 'a']],
  );
  await clocks.pass(100);
  const [member] = await answer('register');
  assert.deepEqual(await answer('read', page({ identity: 'two', cursor: 4 })), [member, undefined]);
  assert.equal(reader.isCurrent(), true);
  await answer('unregister');
  await answer('acknowledge');
});

test('a history that has no name of its own ends the lease and is named before anything that is read counts', async (t) => {
  const { clocks, reader, answer, has } = await openCurrent(t);
  await clocks.pass(100);
  const entries = [entry('of another history')];
  await answer('read', page({ isContinued: false, entries, cursor: 9 }));
  assert.equal(reader.isCurrent(), false);
  assert.equal(has('of another history'), false);
  assert.deepEqual(await answer('renameHistory'), ['one']);
  await clocks.pass(100);
  const [, cursor] = await answer('read', page({ identity: 'two', cursor: 9 }));
  assert.equal(cursor, 1);
  assert.equal(reader.isCurrent(), false, 'the entries have not been written back');
  await answer('restore');
  await clocks.pass(100);
  await answer('register');
  const [, beginning] = await answer('read', page({ identity: 'two', entries }));
  assert.equal(beginning, undefined);
  assert.equal(reader.isCurrent(), true);
  await answer('unregister');
  await answer('acknowledge');
});

test('a history that another process has named is taken over, and not named once more', async (t) => {
  const { clocks, reader, answer, names } = await openCurrent(t);
  await clocks.pass(100);
  await answer('read', page({ identity: 'two', isContinued: false }));
  assert.equal(reader.isCurrent(), false);
  await answer('restore');
  await clocks.pass(100);
  await answer('register');
  const [, cursor] = await answer('read', page({ identity: 'two' }));
  assert.equal(cursor, undefined);
  assert.equal(reader.isCurrent(), true);
  assert.equal(names.includes('renameHistory'), false);
  await answer('unregister');
  await answer('acknowledge');
});

test('what was heard denies at once, and is let go when reads that were sent later have not shown it for five seconds', async (t) => {
  const { clocks, reader, answer, problems, has } = await openCurrent(t);
  await clocks.pass(100);
  // This read is under way: its answer may be older than what is heard now.
  reader.hear([entry('foreign'), entry('ours')]);
  await answer('read', page());
  assert.deepEqual([has('foreign'), has('ours')], [true, true]);
  await clocks.pass(100);
  await answer('read', page({ entries: [entry('ours')], applied: 'ours' }));
  assert.deepEqual([has('foreign'), has('ours')], [true, true]);
  await answer('acknowledge');
  clocks.pause(4800);
  await clocks.pass(100);
  await answer('read', page());
  assert.equal(has('foreign'), true);
  await answer('acknowledge');
  await clocks.pass(100);
  await answer('read', page());
  assert.deepEqual([has('foreign'), has('ours')], [false, true]);
  assert.match(problems.join(), /told of 1 revocations that the database does not have/);
});

test('what this process has committed, and a read that was sent later does not show, is written back into another history', async (t) => {
  const { clocks, reader, answer, has } = await openCurrent(t);
  await clocks.pass(100);
  reader.hear([entry('ours')], true);
  await answer('read', page());
  assert.equal(reader.isCurrent(), true, 'the read was sent before the commit');
  await clocks.pass(100);
  await answer('read', page());
  assert.equal(reader.isCurrent(), false);
  const [from] = await answer('renameHistory');
  assert.equal(from, 'one');
  await clocks.pass(100);
  await answer('read', page({ identity: 'two' }));
  const [written] = await answer('restore');
  assert.deepEqual(
    (written as readonly JournalEntry[]).map(({ key }) => key),
    ['ours'],
  );
  assert.equal(has('ours'), true);
  await clocks.pass(100);
  await answer('register');
  await answer('read', page({ identity: 'two', entries: [entry('ours')] }));
  assert.equal(reader.isCurrent(), true);
  await answer('unregister');
  await answer('acknowledge');
});

test('each reason for which the journal cannot be read is told once', async (t) => {
  const { clocks, answer, problems } = await openCurrent(t);
  for (const change of [
    { isPrimary: false },
    { entries: [entry('a', 'kind of a newer version')] },
    { isPrimary: false },
  ]) {
    await clocks.pass(100);
    await answer('read', page(change));
  }
  assert.deepEqual(
    problems.map((text) => /replica|newer version|does not know/.exec(text)?.[0]),
    ['replica', 'does not know'],
  );
});

test('what was heard stays when the read that follows is none of the primary, or fails', async (t) => {
  const { clocks, reader, answer, has } = await openCurrent(t);
  reader.hear([entry('heard')]);
  await clocks.pass(100);
  await answer('read', page({ isPrimary: false }));
  await clocks.pass(100);
  await answer('read', page({ entries: [entry('a', 'kind of a newer version')] }));
  assert.equal(has('heard'), true);
});

for (const [is, databaseMs] of [
  ['ahead of', -61_000],
  ['behind', 61_300],
] as const)
  test(`a process whose clock is ${is} the clock of the database by more than a minute is not current, and says so`, async (t) => {
    const { clocks, reader, answer, problems } = await openCurrent(t);
    await clocks.pass(100);
    await answer('read', page({ databaseMs }));
    assert.equal(reader.isCurrent(), true, 'the running lease holds');
    assert.match(problems.join(), new RegExp(`clock of this machine is 61 s ${is} the clock of the database`));
    await clocks.pass(leaseMs - 100);
    await answer('read', page({ databaseMs }));
    assert.equal(reader.isCurrent(), false);
    await clocks.pass(100);
    await answer('read', page({ databaseMs: clocks.wallMs() }));
    assert.equal(reader.isCurrent(), true);
    assert.match(problems.join(), /agree again/);
  });

test('a slow answer is no difference of clocks', async (t) => {
  const { clocks, reader, answer } = await openCurrent(t);
  await clocks.pass(100);
  clocks.pause(leaseMs - 1);
  // The database read its clock when it answered, a minute and a little after the sending by its own.
  await answer('read', page({ databaseMs: 100 + leaseMs - 1 + 60_000 }));
  assert.equal(reader.clockAheadMs, -60_000);
  assert.equal(reader.isCurrent(), true);
});

test('a journal with an unknown kind of entry makes nobody current and is read again', async (t) => {
  const { clocks, reader, answer } = await openCurrent(t);
  await clocks.pass(400);
  await answer('read', page({ entries: [entry('a', 'kind of a newer version')], cursor: 2 }));
  await clocks.pass(100);
  assert.equal(reader.isCurrent(), false);
  const [, cursor] = await answer('read', page());
  assert.equal(cursor, 1);
});

test('requests wait for one shared read, and at most a thousand of them', async (t) => {
  const { clocks, reader, answer, names } = await openCurrent(t);
  clocks.pause(leaseMs);
  const waiting = Array.from({ length: 1000 }, () => reader.untilCurrent(250));
  assert.equal(await Promise.race([reader.untilCurrent(250), turn('still waiting')]), false);
  await answer('read', page());
  assert.deepEqual(new Set(await Promise.all(waiting)), new Set([true]));
  assert.equal(names.filter((name) => name === 'read').length, 2);
});

test('who waits for a read that does not come is told so in time', async (t) => {
  const { clocks, reader, answer } = await openCurrent(t);
  clocks.pause(leaseMs);
  const waiting = reader.untilCurrent(250);
  await clocks.pass(250);
  assert.equal(await waiting, false);
  await answer('read', page());
});

test('a stopped process is not current from that moment on, and then removes its rows', async (t) => {
  const { reader, answer } = await openCurrent(t);
  const members = reader.memberIds;
  const stopped = reader.stop();
  assert.equal(reader.isCurrent(), false);
  const [removed] = await answer('unregister');
  assert.deepEqual(removed as MemberId[], members);
  await stopped;
  assert.equal(await reader.untilCurrent(250), false);
});

test('a full view makes nobody current, says why, and everything is current again once there is room', async (t) => {
  const view = new View(1);
  const { clocks, reader, answer, problems, has } = await openCurrent(t, view);
  await clocks.pass(400);
  const entries = [entry('a'), entry('b')];
  await answer('read', page({ entries, cursor: 2 }));
  await clocks.pass(100);
  assert.equal(reader.isCurrent(), false);
  assert.match(problems.join(), /more entries than the view has room for/);
  view.sweep(1e9 + 1);
  const [, cursor] = await answer('read', page({ entries: entries.slice(1), cursor: 2 }));
  assert.equal(cursor, 1);
  assert.equal(reader.isCurrent(), true);
  assert.equal(has('b'), true);
  await answer('acknowledge');
});

test('a heard entry that finds no room ends the lease at once, and a read that was under way does not renew it', async (t) => {
  const view = new View(1);
  const { clocks, reader, answer } = await openCurrent(t, view);
  await clocks.pass(100);
  assert.equal(reader.hear([entry('a'), entry('b')]), false);
  assert.equal(reader.isCurrent(), false);
  await answer('read', page());
  assert.equal(reader.isCurrent(), false);
  view.sweep(1e9 + 1);
  await clocks.pass(100);
  await answer('read', page({ entries: [entry('b')] }));
  assert.equal(reader.isCurrent(), true);
  await answer('acknowledge');
});

test('the age of the currency counts from the sending of the last good read, and survives the end of the lease', async (t) => {
  const { clocks, reader, answer } = open(t);
  assert.equal(reader.currencyAgeMs(), Number.POSITIVE_INFINITY);
  assert.equal(reader.members, 1);
  await answer('register');
  clocks.pause(30);
  await answer('read', page({ members: 3 }));
  await answer('acknowledge');
  assert.equal(reader.currencyAgeMs(), 30);
  assert.equal(reader.members, 3);
  clocks.pause(leaseMs);
  assert.equal(reader.isCurrent(), false);
  assert.equal(reader.currencyAgeMs(), leaseMs + 30);
});
