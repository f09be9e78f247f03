import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Clocks } from '@catalytic/guard/clocks';
import type { Coverage, JournalPage, LiveGuard, PlacedEntry } from '@catalytic/guard/journal-source';
import type { AppliedRead } from '@catalytic/guard/read-follower';
import { entryKinds, type Page, pageEntriesMax } from '@catalytic/protocol/guards';
import type { JournalId, MemberId } from '@catalytic/protocol/ids';
import type { KnownGuardKey } from '../guard-keys/store.ts';
import { MessageSeal } from '../secrets/message-seal.ts';
import { covers } from './coverage.ts';
import { Polls } from './polls.ts';
import { pollsOfKeyMax } from './rules.ts';
import type { PageRequest } from './store.ts';

const history = '00000000-0000-4000-8000-000000000001';
const guardId = '00000000-0000-7000-8000-00000000000a' as MemberId;
/** Leases of the guard and of the worker. */
const leaseMs = 6000;
const workerLeaseMs = 5000;

const entry = (place: bigint): PlacedEntry =>
  ({
    id: `00000000-0000-7000-8000-${String(place).padStart(12, '0')}`,
    kind: 'session',
    key: `session ${place}`,
    keepUntilMs: 1e12,
    place,
    tenantId: null,
  }) as unknown as PlacedEntry;

const coverageTo = (place: bigint, change: Partial<Coverage> = {}): Coverage => ({
  history,
  upTo: place,
  id: place === 0n ? null : entry(place).id,
  except: [],
  ...change,
});

const keyOf = (id: string): KnownGuardKey =>
  ({ id, tenantId: null, guardsMax: 100, expiresAtMs: null, lastUsedAtMs: null }) as KnownGuardKey;

interface Answered {
  page?: Page;
  code?: string;
}

/** Polls of a worker whose reads and clocks the test moves. */
const open = () => {
  let [monoMs, wallMs] = [1000, 1e12];
  const timers = new Set<{ readonly atMs: number; readonly call: () => void }>();
  const clocks: Clocks = {
    monoMs: () => monoMs,
    wallMs: () => wallMs,
    after: (ms, call) => {
      const timer = { atMs: monoMs + ms, call };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
  const worker = { isCurrent: true, hurried: 0, doubted: [] as string[] };
  const journal: PlacedEntry[] = [];
  const asked: PageRequest[] = [];
  const polls = new Polls({
    clocks,
    reader: () => ({
      isCurrent: () => worker.isCurrent,
      hurry: () => void worker.hurried++,
      doubt: (name) => void worker.doubted.push(name),
    }),
    guards: {
      page: async (request) => {
        asked.push(request);
        const { after, upTo, rowsMax } = request;
        const rows = journal.filter(({ place }) => place <= upTo && (after === undefined || place > after.place));
        return { isSameHistory: true, entries: rows.slice(0, rowsMax) };
      },
    },
    seal: new MessageSeal(randomBytes(32)),
    leaseMs: workerLeaseMs,
    onGuardKeys: () => {},
    facts: () => ({ now: wallMs, keep_ms: 1000, keys: 'keys' }),
  });
  const pass = async (ms: number, isSuspended = false): Promise<void> => {
    wallMs += ms;
    if (!isSuspended) monoMs += ms;
    for (const timer of [...timers])
      if (timer.atMs <= monoMs) {
        timers.delete(timer);
        timer.call();
      }
    await turn();
  };
  /** A read that is sent now and answered at once. */
  const read = (entries: readonly PlacedEntry[], coverage: Coverage, change: Partial<AppliedRead> = {}): void => {
    const live: LiveGuard[] = [{ id: guardId, keyId: 'key', leaseMs }];
    const page = { entries, coverage, guards: live, guardKeysRevision: 0 } as unknown as JournalPage<unknown>;
    polls.onRead({ page, sentMonoMs: monoMs, sentWallMs: wallMs, isWhole: false, isGood: true, ...change });
  };
  /** Asks; resolves to the page, or to the code of the refusal. */
  const ask = (
    change: { after?: string; guard?: string; wait_ms?: number; nonce?: string } = {},
    key = 'key',
  ): Answered => {
    const poll = { nonce: 'nonce', wait_ms: 0, kinds: [...entryKinds], ...change };
    const answer: Answered = {};
    polls.ask({ poll, key: keyOf(key), onClosed: () => {} }).then(
      (text) => {
        answer.page = JSON.parse(text) as Page;
      },
      (error: { code: string }) => {
        answer.code = error.code;
      },
    );
    return answer;
  };
  const asks = async (change: Parameters<typeof ask>[0], key?: string): Promise<Page> => {
    const answer = ask(change, key);
    await pass(0);
    await pass(1000);
    if (answer.page === undefined) throw new Error(answer.code ?? 'There is no answer');
    return answer.page;
  };
  return { polls, worker, journal, asked, pass, read, ask, asks, clocks };
};

/** A worker that has read two entries, and a guard that has them. */
const openLoaded = async () => {
  const opened = open();
  opened.read([entry(1n), entry(2n)], coverageTo(2n), { isWhole: true });
  const { cursor } = await opened.asks({});
  return { ...opened, cursor };
};

test('a lease is that of the guard, less the age of the worker’s read, and five sixths of the time that the poll was held', async () => {
  const { ask, read, pass, cursor } = await openLoaded();
  read([], coverageTo(2n));
  await pass(300);
  const answer = ask({ after: cursor, guard: guardId, wait_ms: 600 });
  await pass(599);
  assert.deepEqual(answer, {}, 'it is held while there is no news');
  await pass(1);
  assert.equal(answer.page?.lease_ms, leaseMs - 900 + 500);
});

test('the age of a read is that by the clock that shows more: a suspended machine’s monotonic clock stood still', async () => {
  const { ask, read, pass, cursor } = await openLoaded();
  read([], coverageTo(2n));
  await pass(2000, true);
  const answer = ask({ after: cursor, guard: guardId });
  await pass(0);
  assert.equal(answer.page?.lease_ms, leaseMs - 2000);
});

test('a worker that is not current grants nothing, nor does a read that has not renewed its lease', async () => {
  const { ask, asks, read, worker, pass, cursor } = await openLoaded();
  worker.isCurrent = false;
  assert.equal((await asks({ after: cursor, guard: guardId })).lease_ms, 0);
  worker.isCurrent = true;
  await pass(leaseMs);
  read([entry(3n)], coverageTo(3n), { isGood: false });
  const answer = ask({ after: cursor, guard: guardId });
  await pass(0);
  assert.deepEqual(
    [answer.page?.entries.length, answer.page?.lease_ms],
    [1, 0],
    'its entries are given; its lease is that of the good read before, which is over',
  );
});

test('only a read that was sent after the poll arrived says that a guard is not live, and a guard is live for its own key only', async () => {
  const { ask, read, pass, cursor, worker } = await openLoaded();
  const stranger = ask({ after: cursor, guard: guardId, wait_ms: 900 }, 'another key');
  assert.equal(worker.hurried > 0, true, 'the worker reads at once');
  await pass(100);
  assert.deepEqual(stranger, {});
  read([], coverageTo(2n));
  await pass(0);
  assert.deepEqual(stranger, { code: 'guard_not_live' });
  const late = ask({ after: cursor, guard: '00000000-0000-7000-8000-00000000000b', wait_ms: 0 });
  await pass(300);
  assert.equal(late.page?.lease_ms, 0, 'without such a read it is told nothing, and granted nothing');
});

test('news is answered at once with what was read, and the cursor goes back to the worker as the acknowledgement', async () => {
  const { polls, ask, asks, read, pass, cursor } = await openLoaded();
  const acknowledged: (readonly MemberId[])[] = [];
  const held = ask({ after: cursor, guard: guardId, wait_ms: 1000 });
  await pass(50);
  // Heard of, and not read yet: no guard is told, and none acknowledges.
  polls.follow({ announcement: 'a', entries: [entry(3n)] }, (members) => acknowledged.push(members));
  await pass(1);
  assert.deepEqual(held, {});
  read([entry(3n)], coverageTo(3n));
  await pass(0);
  assert.deepEqual(
    held.page?.entries.map(({ key }) => key),
    ['session 3'],
  );
  await asks({ after: cursor, guard: guardId });
  assert.deepEqual(acknowledged, [], 'a cursor that does not cover the entry acknowledges nothing');
  await asks({ after: held.page?.cursor ?? '' });
  assert.deepEqual(acknowledged, [], 'nor does one without an id');
  ask({ after: held.page?.cursor ?? '', guard: guardId }, 'another key');
  await pass(1);
  assert.deepEqual(acknowledged, [], 'nor does a key that has not registered the guard');
  await asks({ after: held.page?.cursor ?? '', guard: guardId }, 'key');
  assert.deepEqual(acknowledged, [[guardId]]);
  await asks({ after: held.page?.cursor ?? '', guard: guardId });
  assert.equal(acknowledged.length, 1, 'once');
  assert.deepEqual([...polls.takeAcknowledgements()], [[guardId, coverageTo(3n)]]);
});

test('an entry that a worker has only heard of is acknowledged by nobody, whatever a cursor covers', async () => {
  const { polls, asks, read, pass, cursor } = await openLoaded();
  const acknowledged: unknown[] = [];
  polls.follow({ announcement: 'a', entries: [entry(2n), entry(9n)] }, (members) => acknowledged.push(members));
  await asks({ after: cursor, guard: guardId });
  read([], coverageTo(2n));
  await pass(0);
  assert.deepEqual(acknowledged, []);
});

test('a cursor of another history acknowledges nothing, and everything is loaded again', async () => {
  const { polls, ask, pass, read, cursor } = await openLoaded();
  const another = '00000000-0000-4000-8000-000000000002';
  read([entry(1n)], coverageTo(1n, { history: another }), { isWhole: true });
  const asked = ask({ after: cursor, guard: guardId });
  await pass(1);
  read([], coverageTo(1n, { history: another }));
  await pass(10);
  assert.deepEqual([asked.page?.history, asked.page?.entries.length], [another, 1]);
  assert.deepEqual([...polls.takeAcknowledgements()], []);
});

test('only a read that was sent after the poll arrived says that the database has another history', async () => {
  const { ask, read, pass, cursor, worker } = await openLoaded();
  // The worker may have read before the database got the history that the guard has.
  read([entry(1n)], coverageTo(1n, { history: '00000000-0000-4000-8000-000000000002' }), { isWhole: true });
  await pass(1);
  for (const guard of [guardId, undefined]) {
    const before = worker.hurried;
    const asked = ask({ after: cursor, ...(guard !== undefined && { guard }) });
    assert.equal(worker.hurried > before, true, 'the worker reads at once');
    await pass(200);
    assert.deepEqual(asked, {});
    await pass(100);
    assert.deepEqual(
      asked,
      { code: 'revocation_state_unavailable' },
      'the guard keeps what it has, and asks another worker',
    );
  }
});

test('a worker that has read less gives nothing, keeps what the guard has, and grants the lease of its own older read', async () => {
  const { asks, ask, read, pass, cursor, polls, worker } = await openLoaded();
  read([entry(3n), entry(4n)], coverageTo(4n, { except: [] }));
  const ahead = await asks({ after: cursor, guard: guardId });
  // Another worker of the deployment, which shares the key of cursors.
  const behind = open();
  behind.read([entry(1n), entry(2n)], coverageTo(2n), { isWhole: true });
  // The test has one seal for each; so the first worker plays the second by starting again.
  polls.takeAcknowledgements();
  read([entry(1n), entry(2n)], coverageTo(2n), { isWhole: true });
  await pass(100);
  const answer = ask({ after: ahead.cursor, guard: guardId });
  await pass(0);
  assert.deepEqual([answer.page?.entries, answer.page?.lease_ms], [[], leaseMs - 100]);
  assert.deepEqual([...polls.takeAcknowledgements()], [], 'it cannot tell whether this is its database');
  assert.deepEqual(worker.doubted, []);
  read([entry(3n), entry(4n)], coverageTo(4n));
  const again = await asks({ after: answer.page?.cursor ?? '', guard: guardId });
  assert.deepEqual(again.entries, [], 'the cursor still covers what the other worker gave');
  assert.deepEqual([...polls.takeAcknowledgements().values()], [coverageTo(4n)]);
});

test('a guard that has more than a read sent afterwards shows that the database was put back', async () => {
  const { asks, ask, read, pass, cursor, worker } = await openLoaded();
  read([entry(3n)], coverageTo(3n));
  const ahead = await asks({ after: cursor, guard: guardId });
  read([entry(1n), entry(2n)], coverageTo(2n), { isWhole: true });
  const answer = ask({ after: ahead.cursor, guard: guardId, wait_ms: 500 });
  await pass(10);
  assert.deepEqual(worker.doubted, []);
  read([], coverageTo(2n));
  assert.deepEqual(worker.doubted, [history]);
  worker.isCurrent = false;
  await pass(500);
  assert.equal(answer.page?.lease_ms, 0);
});

test('where another entry stands at the place that a guard has read to, it must load everything and acknowledges nothing', async () => {
  const { polls, asks, read, cursor } = await openLoaded();
  const other = { ...entry(2n), id: '00000000-0000-7000-8000-0000000000ff' as JournalId };
  read([entry(1n), other, entry(3n)], coverageTo(3n), { isWhole: true });
  polls.takeAcknowledgements();
  const page = await asks({ after: cursor, guard: guardId });
  assert.deepEqual([...polls.takeAcknowledgements()], []);
  assert.deepEqual([page.more, page.lease_ms], [true, 0]);
});

test('a journal that the recent entries do not hold is loaded by pages, which grant nothing until the last one', async () => {
  const { asks, read, journal, asked } = open();
  const all = Array.from({ length: 2 * pageEntriesMax + 500 }, (_, index) => entry(BigInt(index + 1)));
  journal.push(...all);
  read(all, coverageTo(BigInt(all.length)), { isWhole: true });
  const keys = new Set<string>();
  let page = await asks({});
  const leases: number[] = [];
  for (;;) {
    for (const { key } of page.entries) keys.add(key);
    leases.push(page.lease_ms);
    if (!page.more) break;
    page = await asks({ after: page.cursor, guard: guardId });
  }
  assert.equal(keys.size, all.length);
  assert.equal(asked.length, 3);
  assert.deepEqual(
    leases.map((ms) => ms > 0),
    [false, false, false, true],
  );
});

test('a page ends between two places, and covers no entry that it does not hold', async () => {
  const { asks, read } = open();
  const all = Array.from({ length: pageEntriesMax + 1000 }, (_, index) => entry(BigInt(index + 1)));
  // One transaction wrote the entries around the end of the page.
  const torn = all.map((each) => (each.place > 9990n && each.place < 10_010n ? { ...each, place: 10_000n } : each));
  read(torn, coverageTo(BigInt(all.length)), { isWhole: true });
  const first = await asks({});
  assert.deepEqual([first.more, first.lease_ms, first.entries.length], [true, 0, 9990]);
  const second = await asks({ after: first.cursor });
  assert.deepEqual([second.more, second.entries.length], [false, all.length - 9990]);
  assert.ok(covers(coverageTo(9990n), 9990n));
});

test('each guard is answered at most every five milliseconds, and at once when the worker stops', async () => {
  const { polls, ask, read, pass, cursor } = await openLoaded();
  read([entry(3n)], coverageTo(3n));
  const answer = ask({ after: cursor, guard: guardId, wait_ms: 1000 });
  await pass(4);
  assert.deepEqual(answer, {});
  await pass(1);
  assert.equal(answer.page?.entries.length, 1);
  const held = ask({ after: answer.page?.cursor ?? '', guard: guardId, wait_ms: 1000 });
  polls.leave();
  await pass(0);
  assert.ok((held.page?.lease_ms ?? 0) > 0);
});

test('a forged cursor and a guard that does not know every kind are refused', async () => {
  const { polls, ask, pass, cursor } = await openLoaded();
  const forged = ask({ after: `${cursor.startsWith('A') ? 'B' : 'A'}${cursor.slice(1)}` });
  await pass(0);
  assert.equal(forged.code, 'guard_cursor_invalid');
  await assert.rejects(
    async () =>
      polls.ask({ poll: { nonce: 'n', wait_ms: 0, kinds: ['session'] }, key: keyOf('key'), onClosed: () => {} }),
    { code: 'guard_outdated' },
  );
});

test('one guard key does not take the room of the others', async () => {
  const { polls, ask, pass, cursor } = await openLoaded();
  for (let count = 0; count < pollsOfKeyMax; count++) ask({ after: cursor, wait_ms: 1000 });
  const refused = ask({ after: cursor, wait_ms: 1000 });
  const other = ask({ after: cursor, wait_ms: 1000 }, 'another key');
  await pass(1);
  assert.equal(refused.code, 'guard_polls_too_many');
  assert.deepEqual([other, polls.held], [{}, pollsOfKeyMax + 1]);
  await pass(1000);
  assert.equal(polls.held, 0);
});
