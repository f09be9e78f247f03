import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { AccessTokenClaims } from '@catalytic/protocol/claims';
import { ManualClocks } from '../../../tests/harness/manual-clocks.ts';
import { entryOf, type ScriptedRequest, scriptedServiceIn } from '../../../tests/harness/scripted-service.ts';
import { waitUntil } from '../../../tests/harness/wait-until.ts';
import { Follower, type FollowerParts } from './follower.ts';
import { PublishedKeys } from './published-keys.ts';
import { RevocationsClient } from './revocations-client.ts';
import { View } from './view.ts';

const beganMs = 1_800_000_000_000;
const registerLine = 'POST /revocations/guards';
const keysLine = 'GET /.well-known/jwks.json';

/** A follower of a service that answers what the test says. */
const open = async (t: TestContext, change: Partial<FollowerParts> = {}) => {
  const clocks = new ManualClocks(beganMs);
  const service = await scriptedServiceIn(t, clocks.wallMs);
  const client = new RevocationsClient({ url: service.url, key: 'the key', clocks, timeoutMs: 2000 });
  const keys = new PublishedKeys({ fetch: () => client.keys(), monoMs: clocks.monoMs });
  const problems: string[] = [];
  let taken = 0;
  const process = { id: 1 };
  const follower = new Follower({
    ...{ client, keys, clocks, isStrict: true, followsIfRefused: false, audience: 'api', name: 'test' },
    ...{
      newView: () => new View(),
      processId: () => process.id,
      random: () => 0,
      onRenewed: () => {},
      onStale: () => {},
    },
    onEntries: () => void taken++,
    onFailure: (reason) => problems.push(reason),
    ...change,
  });
  follower.start();
  t.after(() => follower.stop());
  /** Does what makes the service answer, and waits until the follower has dealt with the answer. */
  const settle = async (act: () => void): Promise<void> => {
    const before = taken + problems.length;
    act();
    await waitUntil('the follower', 'deal with the answer', 5000, () => taken + problems.length > before);
    // The round ends after the turn that has dealt with the answer.
    await clocks.pass(0);
  };
  /** The next request, once its time has come. */
  const next = async (line?: string, afterMs = 5): Promise<ScriptedRequest> => {
    await clocks.pass(afterMs);
    return service.next(line);
  };
  const has = (sid: string): boolean => follower.view.isRevoked({ sid, aep: 0, tep: 0 } as AccessTokenClaims, 'kid');
  return { clocks, service, follower, keys, problems, process, settle, next, has };
};

/** A strict guard that is registered as `g1` and current, and its poll that is held. */
const openCurrent = async (t: TestContext, change: Partial<FollowerParts> = {}) => {
  const opened = await open(t, change);
  const { service, settle, next, follower } = opened;
  const first = await service.next();
  await settle(() => first.page({ cursor: 'c1' }));
  (await next(registerLine)).answer(201, { guard: 'g1', lease_ms: 5000 });
  const asking = await service.next();
  await settle(() => asking.page({ cursor: 'c2', lease_ms: 4900 }));
  assert.equal(follower.isCurrent(), true);
  return { ...opened, held: await next() };
};

/** A guard in mode `follow` that is current, and its poll that is held. */
const openFollowing = async (t: TestContext, change: Partial<FollowerParts> = {}) => {
  const opened = await open(t, { isStrict: false, ...change });
  const first = await opened.service.next();
  await opened.settle(() => first.page({ cursor: 'c1' }));
  assert.equal(opened.follower.isCurrent(), true);
  return { ...opened, held: await opened.next() };
};

test('a strict guard loads everything as a follower, registers then, and asks with that cursor', async (t) => {
  const { service, settle, next, follower, has } = await open(t);
  const first = await service.next();
  const { nonce, ...asked } = first.body;
  assert.deepEqual(asked, { wait_ms: 0, kinds: ['token', 'session', 'account', 'tenant', 'key'] });
  assert.match(String(nonce), /^[0-9a-f-]{36}$/);
  assert.equal(first.authorization, 'Bearer the key');
  await settle(() => first.page({ cursor: 'c1', more: true, lease_ms: 0, entries: [entryOf('s1')] }));
  const second = await next();
  assert.deepEqual([second.body.after, second.body.guard], ['c1', undefined]);
  await settle(() => second.page({ cursor: 'c2', entries: [entryOf('s2')] }));
  assert.equal(follower.isCurrent(), false, 'no sign-out waits for it yet');
  const registration = await next(registerLine);
  assert.deepEqual(registration.body, { audience: 'api', name: 'test', kinds: asked.kinds });
  registration.answer(201, { guard: 'g1', lease_ms: 5000 });
  const third = await service.next();
  assert.deepEqual([third.body.after, third.body.guard, third.body.wait_ms], ['c2', 'g1', 0]);
  await settle(() => third.page({ cursor: 'c3' }));
  assert.deepEqual([follower.isCurrent(), has('s1'), has('s2'), has('s3')], [true, true, true, false]);
  assert.equal((await next()).body.wait_ms, 1000);
});

test('a page that more pages follow grants no lease, whatever it says', async (t) => {
  const { service, settle, follower } = await open(t, { isStrict: false });
  const first = await service.next();
  await settle(() => first.page({ more: true }));
  assert.equal(follower.isCurrent(), false);
});

test('the lease counts from the moment before the poll was sent, not from its answer', async (t) => {
  const { clocks, follower, settle, held } = await openFollowing(t);
  clocks.pause(1200);
  await settle(() => held.page({ cursor: 'c2' }));
  clocks.pause(3799);
  assert.equal(follower.isCurrent(), true);
  clocks.pause(1);
  assert.equal(follower.isCurrent(), false);
});

test('a page with a shorter lease takes nothing back', async (t) => {
  const { clocks, follower, settle, held } = await openFollowing(t);
  await settle(() => held.page({ lease_ms: 100 }));
  clocks.pause(4990);
  assert.equal(follower.isCurrent(), true);
});

test('a suspended machine is not current, nor is one whose clock was set back by a lease', async (t) => {
  const { clocks, follower } = await openFollowing(t);
  clocks.setWall(5000);
  assert.equal(follower.isCurrent(), false);
  clocks.setWall(-10_010);
  assert.equal(follower.isCurrent(), false);
  clocks.setWall(5010);
  assert.equal(follower.isCurrent(), true);
});

test('an answer counts only with the nonce and the id of its request', async (t) => {
  const { settle, next, follower, has, held, clocks, problems } = await openCurrent(t);
  for (const change of [{ nonce: 'of another' }, { guard: 'g2' as never }, { guard: null }]) {
    const request = change.nonce === undefined ? await next(undefined, 50) : held;
    await settle(() => request.page({ ...change, entries: [entryOf('s1')] }));
    assert.match(String(problems.at(-1)), /belongs to another request/);
    assert.equal(has('s1'), false);
  }
  clocks.pause(4900);
  assert.equal(follower.isCurrent(), false);
});

test('a page is taken whole: what the cursor of the next poll covers is in the view', async (t) => {
  const { service, settle, next, has } = await open(t, { isStrict: false });
  service.holdsKeys = true;
  const first = await service.next();
  await settle(() => first.page({ cursor: 'c1', entries: [entryOf('s1')] }));
  const keys = await next(keysLine, 0);
  const second = await next();
  assert.deepEqual([second.body.after, has('s1')], ['c1', true]);
  keys.answer(200, { keys: [] });
});

test('nothing is kept of a page with an entry of an unknown kind, and the next poll waits', async (t) => {
  const { clocks, service, settle, follower, has, held, problems } = await openCurrent(t);
  const entries = [entryOf('s1'), { kind: 'device', key: 'd1', keep_until: null }];
  await settle(() => held.page({ cursor: 'c3', entries }));
  assert.match(String(problems.at(-1)), /upgrade/);
  assert.equal(has('s1'), false);
  await clocks.pass(998);
  assert.equal(service.waiting, 0);
  await clocks.pass(2);
  const again = await service.next();
  assert.equal(again.body.after, 'c2');
  clocks.pause(4900 - 1000);
  assert.equal(follower.isCurrent(), false);
});

test('nothing is kept of a page for which there is no room', async (t) => {
  const { settle, next, held, has } = await openFollowing(t, { newView: () => new View(1) });
  await settle(() => held.page({ cursor: 'c2', entries: [entryOf('s1'), entryOf('s2')] }));
  const again = await next(undefined, 1000);
  assert.deepEqual([again.body.after, has('s1')], ['c1', false]);
  await settle(() => again.page({ cursor: 'c2', entries: [entryOf('s2')] }));
  assert.equal(has('s2'), true);
});

test('a page removes nothing', async (t) => {
  const { settle, next, held, has } = await openFollowing(t);
  await settle(() => held.page({ entries: [entryOf('s1')] }));
  const second = await next();
  await settle(() => second.page({ entries: [entryOf('s2')] }));
  assert.deepEqual([has('s1'), has('s2')], [true, true]);
});

test('in another history nothing of the former one counts: it leaves, loads everything, and takes a new id', async (t) => {
  const { clocks, service, settle, next, follower, has, held } = await openCurrent(t);
  await settle(() => held.page({ entries: [entryOf('s1')] }));
  const second = await next();
  await settle(() => second.page({ history: 'two', cursor: 'd9', entries: [entryOf('s9')] }));
  assert.equal(follower.isCurrent(), false);
  assert.deepEqual([has('s1'), has('s9')], [false, false]);
  await waitUntil('the guard', 'leave', 5000, () => service.left.length > 0);
  assert.deepEqual(service.left, ['g1']);
  const load = await next(undefined, 50);
  assert.deepEqual([load.body.after, load.body.guard], [undefined, undefined]);
  await settle(() => load.page({ history: 'two', cursor: 'd1', entries: [entryOf('s2')] }));
  assert.equal(follower.isCurrent(), false);
  // It registers at most once a second.
  const following = await next();
  await clocks.pass(1000);
  await settle(() => following.page({ history: 'two', cursor: 'd1' }));
  (await next(registerLine)).answer(201, { guard: 'g2', lease_ms: 5000 });
  const asking = await service.next();
  assert.deepEqual([asking.body.after, asking.body.guard], ['d1', 'g2']);
  await settle(() => asking.page({ history: 'two' }));
  assert.deepEqual([follower.isCurrent(), has('s2')], [true, true]);
});

test('a cursor that the service does not know, and a key of another tenant, start over as well', async (t) => {
  const { settle, next, follower, held } = await openFollowing(t);
  await settle(() => held.answer(400, { code: 'guard_cursor_invalid' }));
  assert.equal(follower.isCurrent(), false);
  const load = await next(undefined, 50);
  assert.equal(load.body.after, undefined);
  await settle(() => load.page({ tenant: 't1' as never }));
  assert.deepEqual([follower.isCurrent(), follower.tenant], [true, 't1']);
  const second = await next();
  await settle(() => second.page({ tenant: null }));
  assert.deepEqual([follower.isCurrent(), follower.tenant], [false, 't1']);
});

test('a guard that is not live any more keeps view, cursor and lease; its former row goes after a page under the new id', async (t) => {
  const { clocks, service, settle, next, follower, has, held } = await openCurrent(t);
  await settle(() => held.page({ cursor: 'c3', entries: [entryOf('s1')] }));
  await clocks.pass(1000);
  const refused = await service.next();
  await settle(() => refused.answer(409, { code: 'guard_not_live' }));
  assert.deepEqual([follower.isCurrent(), has('s1')], [true, true]);
  (await next(registerLine)).answer(201, { guard: 'g2', lease_ms: 5000 });
  const asking = await service.next();
  assert.deepEqual([asking.body.after, asking.body.guard], ['c3', 'g2']);
  assert.notEqual(asking.connection, refused.connection, 'another worker may know better');
  await settle(() => asking.page({ lease_ms: 0 }));
  assert.deepEqual(service.left, [], 'sign-outs still wait for it');
  const again = await next(undefined, 50);
  await settle(() => again.page());
  await waitUntil('the guard', 'remove its former row', 5000, () => service.left.length > 0);
  assert.deepEqual([service.left, follower.isCurrent()], [['g1'], true]);
});

test('a former row that the service cannot remove at this moment is removed with a later page', async (t) => {
  const { service, settle, next, follower, held } = await openCurrent(t);
  const refusals = [503, 503];
  service.onLeave = () => refusals.shift();
  await settle(() => held.answer(409, { code: 'guard_not_live' }));
  await next(registerLine, 1000).then((registration) => registration.answer(201, { guard: 'g2', lease_ms: 5000 }));
  for (let page = 1; page <= 3; page++) {
    const asking = page === 1 ? await service.next() : await next();
    assert.deepEqual(service.left, []);
    await settle(() => asking.page());
    await waitUntil('the guard', 'ask to leave', 5000, () => refusals.length === Math.max(0, 2 - page));
  }
  await waitUntil('the guard', 'remove its former row', 5000, () => service.left.length > 0);
  assert.deepEqual([service.left, follower.isCurrent()], [['g1'], true]);
});

test('a stop ends the lease first; then the row goes, and a late answer grants nothing', async (t) => {
  const { clocks, service, follower, held } = await openCurrent(t);
  const found: boolean[] = [];
  service.onLeave = () => {
    found.push(follower.isCurrent());
    return undefined;
  };
  held.page();
  const stopped = follower.stop();
  assert.equal(follower.isCurrent(), false);
  await stopped;
  assert.deepEqual([service.left, found], [['g1'], [false]]);
  await clocks.pass(100);
  assert.deepEqual([follower.isCurrent(), service.waiting], [false, 0]);
});

test('an answer that has arrived when the guard stops grants nothing', async (t) => {
  const { follower, held } = await openCurrent(t);
  // Without the abort of the poll: the answer is in this process already.
  t.mock.method(RevocationsClient.prototype, 'abortPoll', () => {});
  const stopped = follower.stop();
  held.page();
  await stopped;
  assert.equal(follower.isCurrent(), false);
});

test('a registration that was under way at the stop leaves no row behind', async (t) => {
  const { service, settle, next, follower } = await open(t);
  const first = await service.next();
  await settle(() => first.page());
  const registration = await next(registerLine);
  const stopped = follower.stop();
  registration.answer(201, { guard: 'g1', lease_ms: 5000 });
  await stopped;
  assert.deepEqual(service.left, ['g1']);
});

test('a wall clock that was ahead and is set right revives nothing', async (t) => {
  const { clocks, settle, held, has } = await openFollowing(t);
  await settle(() => held.page({ entries: [entryOf('s1', beganMs + 600_000)] }));
  clocks.setWall(3_600_000);
  for (let second = 0; second < 10; second++) await clocks.pass(1000);
  clocks.setWall(-3_600_000);
  assert.equal(has('s1'), true);
});

test('an entry is forgotten when everything has been kept for long enough', async (t) => {
  const { clocks, settle, held, has } = await openFollowing(t);
  await settle(() => held.page({ keep_ms: 20_000, entries: [entryOf('s1', beganMs + 10_000)] }));
  for (let second = 0; second < 18; second++) await clocks.pass(1000);
  assert.equal(has('s1'), true);
  for (let second = 0; second < 3; second++) await clocks.pass(1000);
  assert.equal(has('s1'), false);
});

test('a guard whose clock differs from the service’s by more than a minute is not current; the round trip is allowed for', async (t) => {
  const { clocks, settle, next, follower, held, problems, has } = await openFollowing(t);
  const sentMs = clocks.wallMs();
  clocks.pause(400);
  await settle(() => held.page({ now: sentMs - 60_000 }));
  assert.equal(follower.isCurrent(), true);
  const second = await next();
  await settle(() => second.page({ now: clocks.wallMs() + 60_001, entries: [entryOf('s1')] }));
  assert.deepEqual([follower.isCurrent(), has('s1')], [false, true]);
  assert.match(String(problems.at(-1)), /60 s behind/);
  const third = await next();
  assert.equal(third.body.wait_ms, 1000, 'it is held: sign-outs wait for what this guard acknowledges');
  await settle(() => third.page({ now: clocks.wallMs() - 60_010 }));
  assert.equal(follower.isCurrent(), false);
  const fourth = await next();
  await settle(() => fourth.page());
  assert.equal(follower.isCurrent(), true);
});

test('the connection is kept while pages renew the lease; after an error, a deadline or a page that does not, the next poll has a new one', async (t) => {
  const { clocks, settle, next, held } = await openFollowing(t);
  await settle(() => held.page());
  const second = await next();
  assert.deepEqual([second.connection, second.body.wait_ms], [held.connection, 1000]);
  await settle(() => second.page({ lease_ms: 0 }));
  const third = await next(undefined, 50);
  assert.deepEqual([third.connection === second.connection, third.body.wait_ms], [false, 0]);
  await settle(() => third.answer(503, { code: 'guard_polls_too_many' }));
  const fourth = await next(undefined, 50);
  assert.notEqual(fourth.connection, third.connection);
  await settle(() => fourth.cut());
  const fifth = await next(undefined, 50);
  assert.notEqual(fifth.connection, fourth.connection);
  await settle(() => void clocks.pass(501));
  const sixth = await next(undefined, 50);
  assert.notEqual(sixth.connection, fifth.connection);
});

test('a worker that has not read for half of the lease is left before it can renew nothing', async (t) => {
  const { settle, next, held, follower } = await openCurrent(t);
  await settle(() => held.page({ lease_ms: 2499 }));
  const second = await next();
  assert.deepEqual([second.connection === held.connection, follower.isCurrent()], [false, true]);
  await settle(() => second.page({ lease_ms: 2500 }));
  assert.equal((await next()).connection, second.connection);
});

test('the guard key is sent to no route that anybody may ask', async (t) => {
  const { service, next } = await open(t);
  service.holdsKeys = true;
  (await service.next()).page();
  assert.equal((await next(keysLine)).authorization, undefined);
});

test('a strict guard that is refused for now waits as long as it is told, and is not current', async (t) => {
  const { clocks, service, settle, next, follower, problems } = await open(t);
  const first = await service.next();
  await settle(() => first.page());
  const registration = await next(registerLine);
  registration.answer(429, { code: 'guards_too_many' }, { 'retry-after': '30' });
  const polling = await service.next();
  await settle(() => polling.page());
  assert.match(problems.join(), /guards_too_many/);
  assert.equal(follower.isCurrent(), false);
  const held = await next();
  assert.deepEqual([held.body.guard, held.body.wait_ms], [undefined, 400]);
  await settle(() => void clocks.pass(29_100));
  const still = await next(undefined, 50);
  await settle(() => still.page());
  const last = await next();
  await clocks.pass(890);
  await settle(() => last.page());
  await next(registerLine);
});

test('told to, it follows meanwhile, and registers when the time has come', async (t) => {
  const { clocks, service, settle, next, follower } = await open(t, { followsIfRefused: true });
  const first = await service.next();
  await settle(() => first.page());
  (await next(registerLine)).answer(429, { code: 'guards_unsteady' }, { 'retry-after': '1' });
  const polling = await service.next();
  await settle(() => polling.page());
  assert.deepEqual([follower.isCurrent(), follower.isRegistered], [true, false]);
  const held = await next();
  await clocks.pass(1000);
  await settle(() => held.page());
  (await next(registerLine)).answer(201, { guard: 'g1', lease_ms: 5000 });
  assert.equal((await service.next()).body.guard, 'g1');
});

test('a key that is refused is tried again slowly, however many requests wait', async (t) => {
  const { clocks, service, settle, follower } = await open(t);
  const first = await service.next();
  await settle(() => first.answer(401, { code: 'guard_key_invalid' }));
  const waiting = follower.untilCurrent(250);
  for (let passed = 0; passed < 9900; passed += 100) await clocks.pass(100);
  assert.deepEqual([await waiting, service.waiting], [false, 0]);
  await clocks.pass(200);
  assert.equal((await service.next()).body.guard, undefined);
});

test('a copy of the process has neither the lease nor the id of the guard', async (t) => {
  const { service, settle, next, follower, process, held } = await openCurrent(t);
  process.id = 2;
  assert.equal(follower.isCurrent(), false);
  await settle(() => held.page());
  assert.equal(follower.isCurrent(), false);
  await next(registerLine, 1000).then((request) => request.answer(201, { guard: 'g2', lease_ms: 5000 }));
  const asking = await service.next();
  assert.equal(asking.body.guard, 'g2');
  await settle(() => asking.page());
  assert.deepEqual([follower.isCurrent(), service.left], [true, []]);
});

test('all who wait share one poll, which goes out at once in place of one that was held before a pause', async (t) => {
  const { clocks, service, follower, held, settle } = await openFollowing(t);
  clocks.pause(6000);
  const waiting = Array.from({ length: 1001 }, () => follower.untilCurrent(250));
  assert.equal(await waiting.at(-1), false, 'more than a thousand do not wait');
  const second = await (async () => {
    await waitUntil('the follower', 'give the held poll up', 5000, async () => {
      await clocks.pass(1);
      return service.waiting > 0;
    });
    return service.next();
  })();
  assert.deepEqual([second.connection === held.connection, second.body.wait_ms], [false, 0]);
  await settle(() => second.page());
  assert.deepEqual(await Promise.all(waiting.slice(0, 1000)), Array(1000).fill(true));
  assert.equal(service.waiting, 0);
});

test('answers that are not pages grant nothing and break nothing', async (t) => {
  const { service, settle, next, follower, has } = await open(t, { isStrict: false });
  const changes: readonly object[] = [
    { lease_ms: '5000' },
    { lease_ms: 1e9 },
    { lease_ms: -1 },
    { now: null },
    { keep_ms: undefined },
    { history: 7 },
    { cursor: '' },
    { more: 'no' },
    { keys: null },
    { tenant: 3 },
    { entries: {} },
    { entries: [null] },
    { entries: Array(10_001).fill(entryOf('s1')) },
    { entries: [entryOf('s1')], filling: 'x'.repeat(8_000_000) },
    { entries: [entryOf('s1'), { kind: 'session', keep_until: null }] },
    { entries: [entryOf('s1'), { kind: 'account', key: 'a', keep_until: null }] },
    { entries: [entryOf('s1'), { kind: 'session', key: 's', keep_until: 'never' }] },
  ];
  let request = await service.next();
  for (const change of changes) {
    await settle(() => request.page(change));
    assert.deepEqual([follower.isCurrent(), has('s1')], [false, false], JSON.stringify(change).slice(0, 80));
    request = await next(undefined, 50);
    assert.equal(request.body.after, undefined);
  }
  for (const [status, body] of [
    [200, []],
    [200, null],
    [204, {}],
    [302, {}],
    [500, {}],
  ] as const) {
    await settle(() => request.answer(status, body, { location: '/elsewhere' }));
    assert.equal(follower.isCurrent(), false);
    request = await next(undefined, 1000);
  }
  await settle(() => request.page({ entries: [entryOf('s1')] }));
  assert.deepEqual([follower.isCurrent(), has('s1')], [true, true]);
});
