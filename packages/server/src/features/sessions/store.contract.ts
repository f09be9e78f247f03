/** Contract of the port of sessions. @module */
import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { SessionId } from '@catalytic/protocol/ids';
import { keepUntilMs } from '@catalytic/protocol/journal';
import fc from 'fast-check';
import { by, type Engine, type OpenEngine, readJournal, seedAccount } from '../engine.contract.ts';
import { RefreshModel, useOfToken } from './refresh-model.contract.ts';
import { usedTokensMax } from './rules.ts';
import type { OpenedSession, PasswordChange, Rotated, Rotation } from './store.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/**
 * Times of the suite, milliseconds: what is stored at 1000 expires at 100,000; grace lasts 10,000.
 */
const graceMs = 10_000;
const rotation = (presented: string, successor: string, nowMs: number): Rotation => ({
  presentedHash: bytes(presented),
  successor: { hash: bytes(successor), expiresAtMs: nowMs + 100_000 },
  successorBox: bytes(`box of ${successor}`),
  nowMs,
  graceMs,
  by,
});

const signIn = async (engine: Engine, refreshToken: string, name = 'ada') => {
  const seeded = await seedAccount(engine, name);
  return { ...seeded, grant: await open(engine, seeded, refreshToken) };
};

const open = async (
  engine: Engine,
  { tenantId, accountId, account }: Awaited<ReturnType<typeof seedAccount>>,
  refreshToken: string,
  sessionsMax = 100,
  nowMs = 1000,
  expiresAtMs = nowMs + 100_000,
): Promise<OpenedSession> => {
  const grant = await engine.sessions.open({
    tenantId,
    accountId,
    passwordHash: account.passwordHash,
    amr: ['pwd'],
    nowMs,
    refreshToken: { hash: bytes(refreshToken), expiresAtMs },
    sessionsMax,
    by,
  });
  if (typeof grant === 'string') throw new Error(`Not opened: ${grant}`);
  return grant;
};

/** Ids of one millisecond have no order. */
const pause = (): Promise<void> => delay(3);

const outcomes = (results: readonly Rotated[]): Record<string, number> =>
  Object.fromEntries(
    [...Map.groupBy(results, ({ outcome }) => outcome)].map(([outcome, group]) => [outcome, group.length]),
  );

const refusals = (engineName: string, openEngine: OpenEngine): void => {
  test(`${engineName}: a session opens only for an active account of an active tenant with the password that was checked`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const { tenantId, accountId, account } = await seedAccount(engine);
    const attempt = (passwordHash: string) =>
      engine.sessions.open({
        tenantId,
        accountId,
        passwordHash,
        amr: ['pwd'],
        nowMs: 1000,
        refreshToken: { hash: bytes('t'), expiresAtMs: 2000 },
        sessionsMax: 10,
        by,
      });
    assert.equal(await attempt('another hash'), 'password_changed');
    await engine.force.accountStatus(accountId, 'disabled');
    assert.equal(await attempt(account.passwordHash), 'account_disabled');
    await engine.force.accountStatus(accountId, 'active');
    await engine.force.tenantStatus(tenantId, 'suspended');
    assert.equal(await attempt(account.passwordHash), 'tenant_suspended');
    await engine.force.tenantStatus(tenantId, 'active');
    assert.equal(typeof (await attempt(account.passwordHash)), 'object');
  });

  test(`${engineName}: a refused rotation leaves the token usable once the reason is gone`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const { tenantId, accountId } = await signIn(engine, 'r0');
    await engine.force.accountStatus(accountId, 'disabled');
    assert.equal((await engine.sessions.rotate(rotation('r0', 'r1', 2000))).outcome, 'account_disabled');
    await engine.force.accountStatus(accountId, 'active');
    await engine.force.tenantStatus(tenantId, 'suspended');
    assert.equal((await engine.sessions.rotate(rotation('r0', 'r1', 2000))).outcome, 'tenant_suspended');
    await engine.force.tenantStatus(tenantId, 'active');
    assert.equal((await engine.sessions.rotate(rotation('r0', 'r1', 2000))).outcome, 'rotated');
  });

  test(`${engineName}: unknown and expired refresh tokens are told apart`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    await signIn(engine, 'r0');
    assert.equal((await engine.sessions.rotate(rotation('nobody', 'r1', 2000))).outcome, 'refresh_invalid');
    assert.equal((await engine.sessions.rotate(rotation('r0', 'r1', 101_000))).outcome, 'refresh_expired');
  });
};

const rotations = (engineName: string, openEngine: OpenEngine): void => {
  test(`${engineName}: fifty rotations of one token at once make one generation, and all get its box`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const { grant } = await signIn(engine, 'r0');
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) => engine.sessions.rotate(rotation('r0', `s${index}`, 2000))),
    );
    assert.deepEqual(outcomes(results), { rotated: 1, replayed: 49 });
    const winner = results.findIndex(({ outcome }) => outcome === 'rotated');
    for (const result of results) {
      if (result.outcome === 'replayed')
        assert.deepEqual(Buffer.from(result.successorBox), Buffer.from(`box of s${winner}`));
      if (result.outcome === 'rotated' || result.outcome === 'replayed') assert.deepEqual(result.grant, grant);
    }
    const next = await Promise.all(
      Array.from({ length: 50 }, (_, index) => engine.sessions.rotate(rotation(`s${index}`, `t${index}`, 3000))),
    );
    assert.deepEqual(outcomes(next), { rotated: 1, refresh_invalid: 49 });
  });

  test(`${engineName}: a replay whose successor is in use is superseded, and the session lives`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    await signIn(engine, 'r0');
    await engine.sessions.rotate(rotation('r0', 'r1', 2000));
    await engine.sessions.rotate(rotation('r1', 'r2', 3000));
    assert.equal((await engine.sessions.rotate(rotation('r0', 'x', 4000))).outcome, 'refresh_superseded');
    assert.equal((await engine.sessions.rotate(rotation('r2', 'r3', 5000))).outcome, 'rotated');
  });

  test(`${engineName}: a replay that is dated before the use has the same window, so that a clock set back opens none`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    await signIn(engine, 'r0');
    assert.equal((await engine.sessions.rotate(rotation('r0', 'r1', 50_000))).outcome, 'rotated');
    assert.equal((await engine.sessions.rotate(rotation('r0', 'x', 50_000 - graceMs))).outcome, 'replayed');
    assert.equal((await engine.sessions.rotate(rotation('r1', 'r2', 50_000))).outcome, 'rotated');
    assert.equal((await engine.sessions.rotate(rotation('r0', 'x', 50_000 - graceMs))).outcome, 'refresh_superseded');
    assert.equal((await engine.sessions.rotate(rotation('r0', 'x', 49_999 - graceMs))).outcome, 'refresh_reused');
  });

  test(`${engineName}: a replay after the grace window whose successor was used ends the session, journals it and leaves a trace`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const { grant } = await signIn(engine, 'r0');
    await engine.sessions.rotate(rotation('r0', 'r1', 2000));
    assert.equal((await engine.sessions.rotate(rotation('r0', 'x', 2000 + graceMs))).outcome, 'replayed');
    assert.equal((await engine.sessions.rotate(rotation('r1', 'r2', 2000 + graceMs))).outcome, 'rotated');
    const reused = await engine.sessions.rotate(rotation('r0', 'x', 2001 + graceMs));
    assert.equal(reused.outcome, 'refresh_reused');
    const entries = reused.outcome === 'refresh_reused' ? reused.recorded.entries : [];
    assert.deepEqual(
      entries.map(({ kind, key }) => [kind, key]),
      [['session', grant.sessionId]],
    );
    assert.deepEqual(await readJournal(engine), entries);
    assert.deepEqual(await engine.force.auditEvents(grant.sessionId), ['authn_login_success', 'authn_token_reuse']);
    assert.equal((await engine.sessions.rotate(rotation('r2', 'r3', 3000 + graceMs))).outcome, 'session_ended');
  });

  test(`${engineName}: once the successors are forgotten, a replay gets another one`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    await signIn(engine, 'r0');
    await engine.sessions.rotate(rotation('r0', 'r1', 2000));
    await engine.sessions.forgetSuccessors({ nowMs: 3000, sinceMs: 1000 });
    assert.equal((await engine.sessions.rotate(rotation('r0', 'x', 2001))).outcome, 'replayed');
    await engine.sessions.forgetSuccessors({ nowMs: 3001, sinceMs: 1000 });
    assert.equal((await engine.sessions.rotate(rotation('r0', 'x', 2002))).outcome, 'reissued');
    assert.equal((await engine.sessions.rotate(rotation('x', 'x2', 2003))).outcome, 'rotated');
  });
};

const lostAnswers = (engineName: string, openEngine: OpenEngine): void => {
  test(`${engineName}: a token whose successor was never used gets another one, and the use of the former is theft`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const { grant } = await signIn(engine, 'r0');
    const rotate = (presented: string, successor: string, nowMs: number) =>
      engine.sessions.rotate(rotation(presented, successor, nowMs));
    await rotate('r0', 'lost', 2000);
    assert.deepEqual(await rotate('r0', 'r1', 20_000), { outcome: 'reissued', grant });
    const again = await rotate('r0', 'x', 20_001);
    assert.ok(again.outcome === 'replayed');
    assert.deepEqual(Buffer.from(again.successorBox), Buffer.from('box of r1'));
    assert.equal((await rotate('r1', 'r2', 21_000)).outcome, 'rotated');
    const stolen = await rotate('lost', 'x', 22_000);
    assert.ok(stolen.outcome === 'refresh_reused');
    assert.deepEqual(await readJournal(engine), stolen.recorded.entries);
    assert.equal((await rotate('r2', 'x', 23_000)).outcome, 'session_ended');
    const { rows } = await engine.audit.list({ sessionId: grant.sessionId }, 10);
    assert.deepEqual(
      rows.map(({ reason }) => reason),
      ['superseded_used', 'answer_lost', 'password'],
    );
  });

  test(`${engineName}: of many late replays at once, and of uses of the lost successor, exactly one is granted`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    await signIn(engine, 'r0');
    await engine.sessions.rotate(rotation('r0', 'lost', 2000));
    const late = await Promise.all(
      Array.from({ length: 20 }, (_, index) => engine.sessions.rotate(rotation('r0', `s${index}`, 20_000))),
    );
    assert.deepEqual(outcomes(late), { reissued: 1, replayed: 19 });
    const [winner] = late.flatMap(({ outcome }, index) => (outcome === 'reissued' ? [index] : []));
    const both = await Promise.all([
      ...Array.from({ length: 10 }, (_, index) => engine.sessions.rotate(rotation('r0', `t${index}`, 40_000))),
      engine.sessions.rotate(rotation(`s${winner}`, 'u', 40_000)),
    ]);
    const granted = both.filter(({ outcome }) => outcome === 'rotated' || outcome === 'reissued');
    assert.equal(granted.length, 1, JSON.stringify(outcomes(both)));
  });

  test(`${engineName}: a late replay is refused once the session has ended, whichever act ended it`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const { grant } = await signIn(engine, 'r0');
    await engine.sessions.rotate(rotation('r0', 'lost', 2000));
    const [late, end] = await Promise.all([
      engine.sessions.rotate(rotation('r0', 'r1', 20_000)),
      engine.sessions.end({ tenantId: grant.tenantId, sessionId: grant.sessionId, nowMs: 20_000, by }),
    ]);
    assert.ok(['reissued', 'session_ended'].includes(late.outcome), late.outcome);
    assert.equal(end.entries.length, 1);
    for (const token of ['r0', 'r1', 'lost'])
      assert.ok(
        ['session_ended', 'refresh_invalid'].includes(
          (await engine.sessions.rotate(rotation(token, 'x', 40_000))).outcome,
        ),
      );
  });

  test(`${engineName}: a session keeps its last used tokens, and forgets older ones`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    await signIn(engine, 'r0');
    const refreshes = usedTokensMax + 20;
    for (let number = 0; number < refreshes; number++)
      await engine.sessions.rotate(rotation(`r${number}`, `r${number + 1}`, 2000));
    const oldest = refreshes - usedTokensMax;
    assert.equal((await engine.sessions.rotate(rotation(`r${oldest - 1}`, 'x', 20_000))).outcome, 'refresh_invalid');
    assert.equal((await engine.sessions.rotate(rotation(`r${refreshes}`, 'y', 20_000))).outcome, 'rotated');
    assert.equal((await engine.sessions.rotate(rotation(`r${oldest + 1}`, 'x', 20_000))).outcome, 'refresh_reused');
  });

  test(`${engineName}: any sequence of uses is judged as the model says`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const seeded = await seedAccount(engine);
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(useOfToken, { maxLength: 14 }), async (uses) => {
        const name = (token: number) => `${run} ${token}`;
        run++;
        await open(engine, seeded, name(0));
        const model = new RefreshModel(graceMs, 100_000);
        let nowMs = 1000;
        for (const { token, afterMs } of uses) {
          nowMs += afterMs;
          const presented = token % model.issued;
          const expected = model.use(presented, nowMs);
          const rotated = await engine.sessions.rotate(rotation(name(presented), name(model.issued), nowMs));
          assert.equal(rotated.outcome, expected.outcome, `token ${presented} of ${model.issued} at ${nowMs}`);
          if (rotated.outcome === 'replayed')
            assert.deepEqual(
              Buffer.from(rotated.successorBox),
              Buffer.from(`box of ${name(expected.successor ?? -1)}`),
            );
          if (expected.outcome === 'rotated' || expected.outcome === 'reissued') model.issue(presented, nowMs);
        }
      }),
      { numRuns: 60 },
    );
  });
};

const endings = (engineName: string, openEngine: OpenEngine): void => {
  test(`${engineName}: each end of a session is journalled, a repeated one in the same row, and nothing of it can be refreshed`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const { grant } = await signIn(engine, 'r0');
    const [first, again] = [
      await engine.sessions.end({ tenantId: grant.tenantId, sessionId: grant.sessionId, nowMs: 2000, by }),
      await engine.sessions.end({ tenantId: grant.tenantId, sessionId: grant.sessionId, nowMs: 3000, by }),
    ];
    assert.deepEqual(again, first, 'a repeat stands where the first one does');
    assert.deepEqual(await readJournal(engine), first.entries);
    assert.equal((await engine.sessions.rotate(rotation('r0', 'r1', 4000))).outcome, 'session_ended');
  });

  test(`${engineName}: any refresh token of a session ends it: unused, used or expired, again and again`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const { grant } = await signIn(engine, 'r0');
    await signIn(engine, 'b0', 'bob');
    await engine.sessions.rotate(rotation('r0', 'r1', 2000));
    const endBy = (token: string, nowMs: number) =>
      engine.sessions.endByToken({ presentedHash: bytes(token), nowMs, by });
    assert.equal(await endBy('unknown', 3000), 'refresh_invalid');
    assert.deepEqual(await readJournal(engine), []);
    const ends = [await endBy('r0', 3000), await endBy('r1', 3000), await endBy('r0', 500_000)];
    const entries = ends.flatMap((end) => (typeof end === 'string' ? [] : end.entries));
    assert.deepEqual(
      entries.map(({ kind, key }) => [kind, key]),
      Array(3).fill(['session', grant.sessionId]),
    );
    assert.equal((await readJournal(engine)).length, 1, 'a repeat adds no row');
    assert.deepEqual(await engine.force.auditEvents(grant.sessionId), ['authn_login_success', 'authn_token_revoked']);
    assert.equal((await engine.sessions.rotate(rotation('r1', 'r2', 4000))).outcome, 'session_ended');
    assert.equal((await engine.sessions.rotate(rotation('b0', 'b1', 4000))).outcome, 'rotated');
  });

  test(`${engineName}: looking at a refresh token says what it can renew, and neither uses it up nor takes a use for theft`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const { tenantId, accountId, grant } = await signIn(engine, 'r0');
    const look = (token: string, nowMs = 2000) => engine.sessions.findToken({ presentedHash: bytes(token), nowMs });
    assert.equal(await look('unknown'), undefined);
    for (let times = 0; times < 3; times++)
      assert.deepEqual(await look('r0'), { grant, expiresAtMs: 101_000, isUsable: true });
    assert.equal((await look('r0', 101_000))?.isUsable, false, 'expired');
    assert.equal((await engine.sessions.rotate(rotation('r0', 'r1', 2000))).outcome, 'rotated');
    assert.equal((await engine.sessions.rotate(rotation('r1', 'r2', 3000))).outcome, 'rotated');
    for (const nowMs of [3000, 90_000]) assert.equal((await look('r0', nowMs))?.isUsable, false, 'used');
    assert.equal((await look('r2', 90_000))?.isUsable, true, 'the session lives');
    await engine.force.accountStatus(accountId, 'disabled');
    assert.equal((await look('r2'))?.isUsable, false, 'disabled');
    await engine.force.accountStatus(accountId, 'active');
    await engine.sessions.end({ tenantId, sessionId: grant.sessionId, nowMs: 4000, by });
    assert.equal((await look('r2'))?.isUsable, false, 'ended');
    assert.deepEqual((await look('r2'))?.grant, grant);
    assert.equal((await readJournal(engine)).length, 1);
  });

  test(`${engineName}: another tenant cannot end a session`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const { grant } = await signIn(engine, 'r0');
    const other = await engine.tenants.ensure({ name: 'other', nowMs: 1000, by });
    await engine.sessions.end({ tenantId: other.id, sessionId: grant.sessionId, nowMs: 2000, by });
    assert.equal((await engine.sessions.rotate(rotation('r0', 'r1', 4000))).outcome, 'rotated');
  });

  test(`${engineName}: signing out everywhere raises the epoch once, however often it is repeated`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const seeded = await signIn(engine, 'r0');
    const { tenantId, accountId, grant } = seeded;
    const other = await open(engine, seeded, 'q0');
    const endAll = (sessionId = grant.sessionId) =>
      engine.sessions.endAll({ tenantId, accountId, sessionId, nowMs: 2000, by });
    const results = await Promise.all([endAll(), endAll(), endAll(other.sessionId)]);
    for (const result of results) {
      assert.ok(typeof result !== 'string');
      assert.deepEqual(
        result.entries.map((entry) => ('epoch' in entry ? entry.epoch : undefined)),
        [grant.accountEpoch + 1],
      );
    }
    for (const token of ['r0', 'q0'])
      assert.equal((await engine.sessions.rotate(rotation(token, `${token}+`, 3000))).outcome, 'session_ended');
    const fresh = await open(engine, seeded, 'f0');
    assert.equal(fresh.accountEpoch, grant.accountEpoch + 1);
    await endAll();
    assert.equal((await engine.sessions.rotate(rotation('f0', 'f1', 3000))).outcome, 'rotated');
  });

  test(`${engineName}: a change of roles outdates the access tokens, and every session goes on`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const seeded = await signIn(engine, 'r0');
    const { tenantId, accountId, grant } = seeded;
    const ended = await open(engine, seeded, 'e0');
    await engine.sessions.end({ tenantId, sessionId: ended.sessionId, nowMs: 1500, by });
    const bob = await signIn(engine, 'b0', 'bob');
    const change = (roles: readonly string[]) =>
      engine.accounts.changeRoles({ tenantId, accountId, roles, nowMs: 2000, by });
    const both = await Promise.all([change(['editor']), change(['editor'])]);
    const entries = both.flatMap((recorded) => recorded?.entries ?? []);
    const epoch = grant.accountEpoch + 1;
    for (const entry of entries)
      assert.deepEqual(
        [entry.kind, entry.key, 'epoch' in entry && entry.epoch, 'keepsSessions' in entry],
        ['account', accountId, epoch, true],
      );
    assert.deepEqual((await readJournal(engine)).slice(1), entries.slice(1), 'a repeat adds no row');
    const rotated = await engine.sessions.rotate(rotation('r0', 'r1', 3000));
    assert.deepEqual(rotated, { outcome: 'rotated', grant: { ...grant, accountEpoch: epoch, roles: ['editor'] } });
    assert.equal((await engine.sessions.rotate(rotation('e0', 'e1', 3000))).outcome, 'session_ended');
    const other = await engine.sessions.rotate(rotation('b0', 'b1', 3000));
    assert.deepEqual(other, { outcome: 'rotated', grant: bob.grant });
    const { rows } = await engine.audit.list({ event: 'user_updated' }, 10);
    assert.deepEqual(
      rows.map(({ reason }) => reason),
      ['roles_changed'],
    );
  });

  test(`${engineName}: a sign-out wins over a change of roles at the same time, and sign-ins beside it live`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const seeded = await seedAccount(engine);
    const { tenantId, accountId } = seeded;
    const roles = (text: string) =>
      engine.accounts.changeRoles({ tenantId, accountId, roles: [text], nowMs: 2000, by });
    for (let round = 0; round < 6; round++) {
      const name = (token: string) => `${token}${round}`;
      const out = await open(engine, seeded, name('out'));
      const all = await open(engine, seeded, name('all'));
      const ends = {
        alone: () => engine.sessions.end({ tenantId, sessionId: out.sessionId, nowMs: 2000, by }),
        all: () => engine.sessions.endAll({ tenantId, accountId, sessionId: all.sessionId, nowMs: 2000, by }),
        byAdministrator: () => engine.sessions.signOut({ tenantId, accountId, nowMs: 2000, by }),
      };
      await Promise.all([roles(name('a')), ends.alone(), roles(name('b'))]);
      assert.equal((await engine.sessions.rotate(rotation(name('out'), 'x', 3000))).outcome, 'session_ended');
      const end = round % 2 === 0 ? ends.all : ends.byAdministrator;
      await Promise.all([roles(name('c')), end(), roles(name('d'))]);
      assert.equal((await engine.sessions.rotate(rotation(name('all'), 'x', 3000))).outcome, 'session_ended');
      const [fresh] = await Promise.all([open(engine, seeded, name('in')), roles(name('e')), roles(name('f'))]);
      assert.equal((await engine.sessions.rotate(rotation(name('in'), name('in+'), 3000))).outcome, 'rotated');
      await engine.sessions.end({ tenantId, sessionId: fresh.sessionId, nowMs: 4000, by });
    }
  });

  test(`${engineName}: a sign-out everywhere with a token that a change of roles has outdated ends every session`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const seeded = await signIn(engine, 'r0');
    const { tenantId, accountId, grant } = seeded;
    await open(engine, seeded, 'q0');
    await engine.accounts.changeRoles({ tenantId, accountId, roles: ['editor'], nowMs: 2000, by });
    const endAll = () => engine.sessions.endAll({ tenantId, accountId, sessionId: grant.sessionId, nowMs: 2000, by });
    const first = await endAll();
    for (const token of ['r0', 'q0'])
      assert.equal((await engine.sessions.rotate(rotation(token, `${token}+`, 3000))).outcome, 'session_ended');
    const fresh = await open(engine, seeded, 'f0');
    await engine.accounts.changeRoles({ tenantId, accountId, roles: ['reader'], nowMs: 2000, by });
    assert.deepEqual(await endAll(), first, 'a repeat journals the epoch that ended the sessions');
    assert.equal(
      (await engine.sessions.rotate(rotation('f0', 'f1', 3000))).outcome,
      'rotated',
      String(fresh.accountEpoch),
    );
  });

  test(`${engineName}: a session that has ended cannot sign others out`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const seeded = await signIn(engine, 'r0');
    const { tenantId, accountId, grant } = seeded;
    await open(engine, seeded, 'q0');
    await engine.sessions.end({ tenantId, sessionId: grant.sessionId, nowMs: 2000, by });
    const { sessionId } = grant;
    const everywhere = await engine.sessions.endAll({ tenantId, accountId, sessionId, nowMs: 3000, by });
    assert.equal(everywhere, 'session_ended');
    assert.equal((await engine.sessions.rotate(rotation('q0', 'q1', 4000))).outcome, 'rotated');
  });

  test(`${engineName}: a purge takes expired sessions, a bounded number at a time, and their tokens with them`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const seeded = await signIn(engine, 'r0');
    for (const token of ['r1', 'r2', 'r3']) await open(engine, seeded, token);
    await engine.sessions.rotate(rotation('r3', 'r4', 50_000));
    assert.equal(await engine.sessions.purge({ nowMs: 101_101, sinceMs: 100, rowsMax: 2 }), 2);
    assert.equal(await engine.sessions.purge({ nowMs: 101_101, sinceMs: 100, rowsMax: 2 }), 1);
    assert.equal(await engine.sessions.purge({ nowMs: 101_101, sinceMs: 100, rowsMax: 2 }), 0);
    assert.equal((await engine.sessions.rotate(rotation('r0', 'x', 2000))).outcome, 'refresh_invalid');
    assert.equal((await engine.sessions.rotate(rotation('r4', 'r5', 60_000))).outcome, 'rotated');
  });
};

const dating = (engineName: string, openEngine: OpenEngine): void => {
  // Ahead of the database's clock, by less than makes a sign-in refused.
  const aheadMs = 50_000;
  const mints: readonly (readonly [
    string,
    (engine: Engine, signedIn: Awaited<ReturnType<typeof signIn>>, nowMs: number) => Promise<string | object>,
  ])[] = [
    ['a sign-in', (engine, seeded, nowMs) => open(engine, seeded, 'r1', 100, nowMs)],
    ['a refresh', (engine, _, nowMs) => engine.sessions.rotate(rotation('r0', 'r1', nowMs))],
    [
      'a change of password',
      (engine, { tenantId, accountId, account, grant }, nowMs) =>
        engine.sessions.changePassword({
          ...{ tenantId, accountId, sessionId: grant.sessionId, from: account.passwordHash, to: 'new' },
          ...{ amr: [], nowMs, refreshToken: { hash: bytes('r1'), expiresAtMs: nowMs + 1000 }, by },
        }),
    ],
  ];
  for (const [what, mint] of mints)
    test(`${engineName}: an entry outlives the token that ${what} was given by a clock that was ahead`, async (t) => {
      const engine = await openEngine();
      t.after(() => engine.close());
      const seeded = await seedAccount(engine);
      const nowMs = Date.now() + aheadMs;
      const grant = await open(engine, seeded, 'r0', 100, 1000, nowMs + 1000);
      const minted = await mint(engine, { ...seeded, grant }, nowMs);
      assert.ok(typeof minted === 'object' && (!('outcome' in minted) || minted.outcome === 'rotated'));
      const { entries } = await engine.sessions.end({
        tenantId: seeded.tenantId,
        sessionId: grant.sessionId,
        nowMs: 2000,
        by,
      });
      const keptMs = Number(entries[0]?.keepUntilMs) - nowMs;
      assert.ok(keptMs >= keepUntilMs(0, 0), `kept for ${keptMs} ms after the token was dated`);
    });
};

const owning = (engineName: string, openEngine: OpenEngine): void => {
  test(`${engineName}: the live sessions of an account are listed newest first, a page at a time, and nobody else's`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const seeded = await signIn(engine, 'r0');
    const { tenantId, accountId, grant } = seeded;
    await signIn(engine, 'b0', 'bob');
    await pause();
    const second = await open(engine, seeded, 'r1');
    await pause();
    const third = await open(engine, seeded, 'r2');
    const list = async (before?: SessionId, rowsMax = 10, nowMs = 2000) =>
      (await engine.sessions.list({ tenantId, accountId, before, rowsMax, nowMs })).map(({ id }) => id);
    assert.deepEqual(await list(), [third.sessionId, second.sessionId, grant.sessionId]);
    assert.deepEqual(await list(undefined, 2), [third.sessionId, second.sessionId]);
    assert.deepEqual(await list(second.sessionId), [grant.sessionId]);
    const page = { tenantId, accountId, before: second.sessionId, rowsMax: 10, nowMs: 2000 };
    assert.deepEqual(await engine.sessions.list(page), [
      { id: grant.sessionId, createdAtMs: 1000, authenticatedAtMs: 1000, expiresAtMs: 101_000 },
    ]);
    const other = await engine.tenants.ensure({ name: 'other', nowMs: 1000, by });
    assert.deepEqual(await engine.sessions.list({ ...page, tenantId: other.id, before: undefined }), []);
    await engine.sessions.end({ tenantId, sessionId: second.sessionId, nowMs: 2000, by });
    assert.deepEqual(await list(), [third.sessionId, grant.sessionId]);
    assert.deepEqual(await list(undefined, 10, 101_000), [], 'expired');
    await engine.tenants.suspend({ tenantId, nowMs: 2000, by });
    await engine.tenants.resume({ tenantId, nowMs: 2000, by });
    assert.deepEqual(await list(), [], 'of a former epoch');
  });

  test(`${engineName}: an account ends its own sessions only, and each end is journalled, a repeated one too`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const { tenantId, accountId, grant } = await signIn(engine, 'r0');
    const bob = await signIn(engine, 'b0', 'bob');
    const other = await engine.tenants.ensure({ name: 'other', nowMs: 1000, by });
    const endOwn = (sessionId: SessionId, tenant = tenantId) =>
      engine.sessions.endOwn({
        ...{ tenantId: tenant, accountId, sessionId, askingSessionId: grant.sessionId, nowMs: 2000, by },
      });
    assert.equal(await endOwn(bob.grant.sessionId), 'session_not_found');
    assert.equal(await endOwn(randomUUIDv7() as SessionId), 'session_not_found');
    assert.equal(await endOwn(grant.sessionId, other.id), 'session_not_found');
    assert.deepEqual(await readJournal(engine), []);
    const ends = [await endOwn(grant.sessionId), await endOwn(grant.sessionId)];
    const entries = ends.flatMap((end) => (typeof end === 'string' ? [] : end.entries));
    assert.deepEqual(
      entries.map(({ kind, key }) => [kind, key]),
      Array(2).fill(['session', grant.sessionId]),
    );
    assert.deepEqual(await readJournal(engine), entries.slice(1), 'a repeat adds no row');
    assert.deepEqual(await engine.force.auditEvents(grant.sessionId), ['authn_login_success', 'session_expired']);
    assert.equal((await engine.sessions.rotate(rotation('r0', 'r1', 3000))).outcome, 'session_ended');
    assert.equal((await engine.sessions.rotate(rotation('b0', 'b1', 3000))).outcome, 'rotated');
  });

  test(`${engineName}: signing an account out ends all of its sessions each time, and nobody else's`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const { tenantId, accountId, account, grant } = await signIn(engine, 'r0');
    await signIn(engine, 'b0', 'bob');
    const other = await engine.tenants.ensure({ name: 'other', nowMs: 1000, by });
    assert.equal(await engine.sessions.signOut({ tenantId: other.id, accountId, nowMs: 2000, by }), undefined);
    const epochs = [];
    for (const token of ['r0', 'q0']) {
      const recorded = await engine.sessions.signOut({ tenantId, accountId, nowMs: 2000, by });
      epochs.push(...(recorded?.entries ?? []).map((entry) => ('epoch' in entry ? entry.epoch : undefined)));
      assert.equal((await engine.sessions.rotate(rotation(token, `${token}+`, 3000))).outcome, 'session_ended');
      await open(engine, { tenantId, accountId, account }, 'q0').catch(() => undefined);
    }
    assert.deepEqual(epochs, [grant.accountEpoch + 1, grant.accountEpoch + 2]);
    assert.equal((await engine.sessions.rotate(rotation('b0', 'b1', 3000))).outcome, 'rotated');
  });
};

const passwords = (engineName: string, openEngine: OpenEngine): void => {
  test(`${engineName}: of fifty password changes at once exactly one wins, and of all sessions only its own lives`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const seeded = await signIn(engine, 'r0');
    const { tenantId, accountId, account, grant } = seeded;
    const other = await open(engine, seeded, 'q0');
    const change = (index: number, values: Partial<PasswordChange> = {}) =>
      engine.sessions.changePassword({
        ...{ tenantId, accountId, sessionId: index % 2 === 0 ? grant.sessionId : other.sessionId },
        ...{ from: account.passwordHash, to: `new ${index}`, amr: ['pwd'], nowMs: 2000, by },
        refreshToken: { hash: bytes(`n${index}`), expiresAtMs: 200_000 },
        ...values,
      });
    assert.equal(await change(0, { from: 'another hash' }), 'password_changed');
    assert.equal(await change(0, { sessionId: randomUUIDv7() as SessionId }), 'session_ended');
    const elsewhere = await engine.tenants.ensure({ name: 'other', nowMs: 1000, by });
    assert.equal(await change(0, { tenantId: elsewhere.id }), 'session_ended');
    assert.deepEqual(await readJournal(engine), [], 'what is refused changes nothing');

    const results = await Promise.all(Array.from({ length: 50 }, (_, index) => change(index)));
    const winners = results.flatMap((result, index) => (typeof result === 'string' ? [] : [{ ...result, index }]));
    assert.equal(winners.length, 1);
    assert.deepEqual(new Set(results.filter((result) => typeof result === 'string')), new Set(['session_ended']));
    const [winner] = winners;
    assert.deepEqual(await readJournal(engine), winner?.recorded.entries);
    assert.deepEqual(
      winner?.recorded.entries.map((entry) => [entry.kind, entry.key, 'epoch' in entry && entry.epoch]),
      [['account', accountId, grant.accountEpoch + 1]],
    );
    const asking = winner?.index ?? 0;
    assert.deepEqual(await engine.force.auditEvents(asking % 2 === 0 ? grant.sessionId : other.sessionId), [
      'authn_login_success',
      'authn_password_change',
    ]);
    assert.equal((await engine.accounts.findWithPassword(tenantId, accountId))?.passwordHash, `new ${asking}`);
    for (const token of ['r0', 'q0'])
      assert.equal((await engine.sessions.rotate(rotation(token, `${token}+`, 3000))).outcome, 'session_ended');
    const rotated = await engine.sessions.rotate(rotation(`n${asking}`, 'n+', 3000));
    assert.deepEqual(rotated, { outcome: 'rotated', grant: winner?.grant });
    await assert.rejects(open(engine, seeded, 'late'), /password_changed/);
  });

  test(`${engineName}: a password changes only in an active account of an active tenant`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const { tenantId, accountId, account, grant } = await signIn(engine, 'r0');
    const change = () =>
      engine.sessions.changePassword({
        ...{ tenantId, accountId, sessionId: grant.sessionId, from: account.passwordHash, to: 'new' },
        ...{ amr: [], nowMs: 2000, refreshToken: { hash: bytes('n0'), expiresAtMs: 200_000 }, by },
      });
    await engine.force.accountStatus(accountId, 'disabled');
    assert.equal(await change(), 'account_disabled');
    await engine.force.tenantStatus(tenantId, 'suspended');
    assert.equal(await change(), 'tenant_suspended');
    await engine.force.tenantStatus(tenantId, 'active');
    await engine.force.accountStatus(accountId, 'active');
    assert.equal(typeof (await change()), 'object');
  });
};

const limits = (engineName: string, openEngine: OpenEngine): void => {
  test(`${engineName}: a sign-in beyond the limit ends the oldest live session, after those that live no more, and journals it`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const seeded = await signIn(engine, 'r0');
    const { accountId, grant } = seeded;
    await signIn(engine, 'b0', 'bob');
    await pause();
    const second = await open(engine, seeded, 'r1', 2);
    assert.equal(second.displaced, undefined);
    await pause();
    const third = await open(engine, seeded, 'r2', 2);
    assert.deepEqual(
      third.displaced?.entries.map(({ kind, key }) => [kind, key]),
      [['session', grant.sessionId]],
    );
    assert.deepEqual(await readJournal(engine), third.displaced?.entries);
    assert.deepEqual(await engine.force.auditEvents(grant.sessionId), ['authn_login_success', 'session_expired']);
    assert.equal((await engine.sessions.rotate(rotation('r0', 'x', 2000))).outcome, 'session_ended');
    // The second one lives on, the third one expires: it goes first although it is younger.
    assert.equal((await engine.sessions.rotate(rotation('r1', 'r1+', 50_000))).outcome, 'rotated');
    const late = await engine.sessions.open({
      ...{ tenantId: seeded.tenantId, accountId, passwordHash: seeded.account.passwordHash, amr: [], nowMs: 120_000 },
      ...{ refreshToken: { hash: bytes('late'), expiresAtMs: 300_000 }, sessionsMax: 2, by },
    });
    assert.ok(typeof late !== 'string');
    assert.deepEqual(
      late.displaced?.entries.map(({ key }) => key),
      [third.sessionId],
    );
    assert.equal((await engine.sessions.rotate(rotation('r1+', 'r1++', 121_000))).outcome, 'rotated');
    assert.equal((await engine.sessions.rotate(rotation('b0', 'b1', 3000))).outcome, 'rotated');
  });

  test(`${engineName}: after many sign-ins at once, the next one leaves no more than the limit`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const seeded = await signIn(engine, 'r0');
    await Promise.all(Array.from({ length: 20 }, (_, index) => open(engine, seeded, `m${index}`, 5)));
    await open(engine, seeded, 'last', 5);
    const { tenantId, accountId } = seeded;
    const live = await engine.sessions.list({ tenantId, accountId, before: undefined, rowsMax: 100, nowMs: 2000 });
    assert.equal(live.length, 5);
    assert.equal((await readJournal(engine)).length, 17);
    assert.equal((await engine.sessions.rotate(rotation('last', 'x', 2000))).outcome, 'rotated');
  });
};

/** Registers the suite for one engine. */
export const sessionStoreContract = (engineName: string, openEngine: OpenEngine): void => {
  refusals(engineName, openEngine);
  rotations(engineName, openEngine);
  lostAnswers(engineName, openEngine);
  endings(engineName, openEngine);
  dating(engineName, openEngine);
  owning(engineName, openEngine);
  passwords(engineName, openEngine);
  limits(engineName, openEngine);
};
