/**
 * What a guard makes of answers to its polls, as data: our own follower is run through each, with clocks that stand still.
 * @module
 */
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { Follower } from '@catalytic/guard/follower';
import type { Reply } from '@catalytic/guard/revocations-client';
import { View } from '@catalytic/guard/view';
import type { Poll } from '@catalytic/protocol/guards';
import { ManualClocks } from '../harness/manual-clocks.ts';

/** An answer, in the words of the table below. */
interface Step {
  /** Time from the sending to the answer, milliseconds. */
  readonly afterMs: number;
  /** By how much the clock of the service is ahead in the page, milliseconds. */
  readonly aheadMs?: number;
  /** Members of the page that are not the usual ones. */
  readonly page?: Readonly<Record<string, unknown>>;
  /** A refusal instead of a page. */
  readonly problem?: { readonly status: number; readonly code: string };
  /** What must come of it. */
  readonly expect: { readonly taken: boolean; readonly current: boolean };
}

/** A look at the guard, after the last answer. */
interface Probe {
  /** Monotonic time since the sending of the first poll, milliseconds. */
  readonly atMs: number;
  /** How far the wall clock has moved in that time. @default as far */
  readonly wallMs?: number;
  readonly current: boolean;
}

interface Script {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly probes?: readonly Probe[];
}

const renewed: Step = { afterMs: 100, expect: { taken: true, current: true } };
const refused: Step['expect'] = { taken: false, current: true };
const session = (key: string) => ({ kind: 'session', key, keep_until: 1_800_001_000_000 });

/** Every script begins with a guard that is registered as `g1` with a lease of 5,000 ms, has the cursor `c0`, and holds no lease. */
const scripts: readonly Script[] = [
  {
    name: 'a lease ends at the time of sending plus lease_ms',
    steps: [renewed],
    probes: [
      { atMs: 4999, current: true },
      { atMs: 5000, current: false },
    ],
  },
  {
    name: 'a lease counts from the sending, however late its answer is',
    steps: [{ ...renewed, afterMs: 600 }],
    probes: [
      { atMs: 4999, current: true },
      { atMs: 5000, current: false },
    ],
  },
  {
    name: 'an answer after the end of its own lease',
    steps: [{ afterMs: 5000, expect: { taken: true, current: false } }],
  },
  {
    name: 'the wall clock has moved by a lease, the monotonic clock has not: the machine was suspended',
    steps: [renewed],
    probes: [{ atMs: 200, wallMs: 5000, current: false }],
  },
  {
    name: 'the wall clock was set back by a lease',
    steps: [renewed],
    probes: [{ atMs: 200, wallMs: -5000, current: false }],
  },
  {
    name: 'a page with a shorter lease leaves the longer one',
    steps: [renewed, { ...renewed, page: { lease_ms: 1000 } }],
    probes: [{ atMs: 4999, current: true }],
  },
  {
    name: 'a page with lease_ms 0 renews nothing, and ends nothing',
    steps: [renewed, { ...renewed, page: { lease_ms: 0, entries: [session('s1')] } }],
    probes: [
      { atMs: 4999, current: true },
      { atMs: 5000, current: false },
    ],
  },
  {
    name: 'a page that more follow renews nothing',
    steps: [{ afterMs: 100, page: { more: true, lease_ms: 0 }, expect: { taken: true, current: false } }],
  },
  {
    name: 'the nonce of another request',
    steps: [renewed, { afterMs: 100, page: { nonce: 'other' }, expect: refused }],
    probes: [{ atMs: 5000, current: false }],
  },
  {
    name: 'the id of another guard',
    steps: [renewed, { afterMs: 100, page: { guard: 'g2' }, expect: refused }],
    probes: [{ atMs: 5000, current: false }],
  },
  {
    name: 'no id, although the poll had one',
    steps: [renewed, { afterMs: 100, page: { guard: null }, expect: refused }],
    probes: [{ atMs: 5000, current: false }],
  },
  {
    name: 'an entry of an unknown kind beside a known one',
    steps: [
      renewed,
      {
        afterMs: 100,
        page: { entries: [session('s1'), { kind: 'device', key: 'd1', keep_until: null }] },
        expect: refused,
      },
    ],
    probes: [{ atMs: 5000, current: false }],
  },
  ...[
    { what: 'an entry without a key', page: { entries: [{ kind: 'session', keep_until: null }] } },
    { what: 'an account without an epoch', page: { entries: [{ kind: 'account', key: 'a1', keep_until: null }] } },
    { what: 'entries that are no list', page: { entries: {} } },
    { what: 'a lease that is no number', page: { lease_ms: '5000' } },
    { what: 'a lease below 0', page: { lease_ms: -1 } },
    { what: 'a lease above 31,000 ms', page: { lease_ms: 31_001 } },
    { what: 'more that is no boolean', page: { more: 0 } },
    { what: 'an empty cursor', page: { cursor: '' } },
  ].map(
    ({ what, page }): Script => ({
      name: `no page: ${what}`,
      steps: [renewed, { afterMs: 100, page, expect: refused }],
      probes: [{ atMs: 5000, current: false }],
    }),
  ),
  {
    name: 'another history: nothing is accepted, everything is loaded again without an id',
    steps: [renewed, { afterMs: 100, page: { history: 'h2' }, expect: { taken: false, current: false } }],
  },
  {
    name: 'another tenant: as another history',
    steps: [renewed, { afterMs: 100, page: { tenant: 't1' }, expect: { taken: false, current: false } }],
  },
  {
    name: 'the clock of the service is a minute ahead',
    steps: [{ ...renewed, aheadMs: 60_000 }],
  },
  {
    name: 'the clock of the service is more than a minute ahead of the clock at the answer',
    steps: [renewed, { afterMs: 100, aheadMs: 60_001, expect: { taken: true, current: false } }],
  },
  {
    name: 'the clock of the service is more than a minute and the round trip behind',
    steps: [renewed, { afterMs: 100, aheadMs: -60_101, expect: { taken: true, current: false } }],
  },
  {
    name: 'the clock of the service is a minute and the round trip behind',
    steps: [{ ...renewed, aheadMs: -60_100 }],
  },
  {
    name: 'not live: view, cursor and the lease that runs are kept',
    steps: [renewed, { afterMs: 100, problem: { status: 409, code: 'guard_not_live' }, expect: refused }],
    probes: [
      { atMs: 4999, current: true },
      { atMs: 5000, current: false },
    ],
  },
  {
    name: 'the cursor is not known: everything is loaded again without an id',
    steps: [
      renewed,
      {
        afterMs: 100,
        problem: { status: 400, code: 'guard_cursor_invalid' },
        expect: { taken: false, current: false },
      },
    ],
  },
  {
    name: 'unavailable: the lease that runs is kept',
    steps: [renewed, { afterMs: 100, problem: { status: 503, code: 'store_unavailable' }, expect: refused }],
    probes: [{ atMs: 4999, current: true }],
  },
];

const beganMs = 1_800_000_000_000;

interface WaitingPoll {
  readonly body: Poll;
  readonly answer: (reply: Reply) => void;
}

const replyOf = (status: number, value: object, code?: string): Reply => ({
  ...{ status, value, code, etag: undefined, retryAfterMs: undefined },
});

/** A follower whose service is this file. */
const openFollower = () => {
  const clocks = new ManualClocks(beganMs);
  const polls: WaitingPoll[] = [];
  let registered = 0;
  const follower = new Follower({
    client: {
      poll: (body) => new Promise((resolve) => polls.push({ body, answer: resolve })),
      // It registers once: what a script shows ends before another registration.
      register: () =>
        Promise.resolve(registered++ === 0 ? replyOf(201, { guard: 'g1', lease_ms: 5000 }) : replyOf(429, {})),
      leave: () => Promise.resolve(replyOf(200, {})),
      abortPoll: () => {},
      close: () => {},
    },
    keys: { isLoaded: true, follow: () => Promise.resolve() },
    ...{ clocks, isStrict: true, followsIfRefused: false, audience: 'a', name: 'n', newView: () => new View() },
    ...{ processId: () => 1, random: () => 0 },
    ...{ onEntries: () => {}, onFailure: () => {}, onRenewed: () => {}, onStale: () => {} },
  });
  /** The next poll, as soon as the follower sends it. */
  const next = async (): Promise<WaitingPoll> => {
    for (let waited = 0; polls.length === 0; waited++) {
      assert.ok(waited < 500, 'the follower sends no poll');
      await clocks.pass(5);
    }
    return polls.shift() as WaitingPoll;
  };
  return { clocks, follower, next };
};

const settle = async (): Promise<void> => {
  for (let turns = 0; turns < 5; turns++) await turn();
};

const usualPage = (poll: Poll, now: number): Record<string, unknown> => ({
  ...{ nonce: poll.nonce, guard: poll.guard ?? null, history: 'h1', cursor: 'c0', more: false, lease_ms: 5000 },
  ...{ now, keep_ms: 1_080_000, keys: 'k1', tenant: null, entries: [] },
});

const play = async ({ name, steps, probes = [] }: Script): Promise<object> => {
  const { clocks, follower, next } = openFollower();
  follower.start();
  const first = await next();
  first.answer(replyOf(200, usualPage(first.body, clocks.wallMs())));
  await settle();
  const polls: object[] = [];
  let poll = await next();
  const [monoMs, wallMs] = [clocks.monoMs(), clocks.wallMs()];
  const time = () => ({ mono_ms: clocks.monoMs() - monoMs, wall_ms: clocks.wallMs() });
  for (const [index, { afterMs, aheadMs = 0, page, problem, expect }] of steps.entries()) {
    const sent = time();
    const request = { nonce: `n${index + 1}`, guard: poll.body.guard ?? null, after: poll.body.after ?? null };
    clocks.pause(afterMs);
    const cursor = `c${index + 1}`;
    const whole = { ...usualPage(poll.body, clocks.wallMs() + aheadMs), cursor, ...page };
    const told = { ...whole, nonce: page?.['nonce'] ?? request.nonce };
    const answered = { ...time(), ...(problem ?? { status: 200, body: told }) };
    poll.answer(problem === undefined ? replyOf(200, whole) : replyOf(problem.status, {}, problem.code));
    await settle();
    const current = follower.isCurrent();
    poll = await next();
    const { guard = null, after = null } = poll.body;
    assert.deepEqual({ taken: after === cursor, current }, expect, name);
    polls.push({ sent, request, answered, current, next: { guard, after } });
  }
  const seen = probes.map(({ atMs, wallMs: movedMs = atMs, current }) => {
    clocks.pause(atMs - (clocks.monoMs() - monoMs));
    clocks.setWall(wallMs + movedMs - clocks.wallMs());
    assert.equal(follower.isCurrent(), current, name);
    return { ...time(), current };
  });
  const stopped = follower.stop();
  poll.answer(replyOf(503, {}));
  await stopped;
  return { name, polls, later: seen };
};

/** The vectors. @throws AssertionError when our guard does not do what the table says */
export const pageVectors = async (): Promise<readonly object[]> => {
  const vectors: object[] = [];
  for (const script of scripts) vectors.push(await play(script));
  return vectors;
};
