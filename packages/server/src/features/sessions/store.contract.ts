/** Contract of the port of sessions. @module */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Engine, type OpenEngine, readJournal, seedAccount } from '../engine.contract.ts';
import type { OpenedSession, Rotated, Rotation } from './store.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Times of the suite, milliseconds: what is stored at 1000 expires at 100,000; grace lasts 10,000. */
const graceMs = 10_000;
const rotation = (presented: string, successor: string, nowMs: number): Rotation => ({
  presentedHash: bytes(presented),
  successor: { hash: bytes(successor), expiresAtMs: nowMs + 100_000 },
  successorBox: bytes(`box of ${successor}`),
  nowMs,
  graceMs,
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
): Promise<OpenedSession> => {
  const grant = await engine.sessions.open({
    tenantId,
    accountId,
    passwordHash: account.passwordHash,
    amr: ['pwd'],
    nowMs: 1000,
    refreshToken: { hash: bytes(refreshToken), expiresAtMs: 101_000 },
    sessionsMax,
  });
  if (typeof grant === 'string') throw new Error(`Not opened: ${grant}`);
  return grant;
};

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

  test(`${engineName}: a replay after the grace window ends the session, journals it and leaves a trace`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const { grant } = await signIn(engine, 'r0');
    await engine.sessions.rotate(rotation('r0', 'r1', 2000));
    assert.equal((await engine.sessions.rotate(rotation('r0', 'x', 2000 + graceMs))).outcome, 'replayed');
    const reused = await engine.sessions.rotate(rotation('r0', 'x', 2001 + graceMs));
    assert.equal(reused.outcome, 'refresh_reused');
    const entries = reused.outcome === 'refresh_reused' ? reused.recorded.entries : [];
    assert.deepEqual(
      entries.map(({ kind, key }) => [kind, key]),
      [['session', grant.sessionId]],
    );
    assert.deepEqual(await readJournal(engine), entries);
    assert.deepEqual(await engine.force.auditEvents(grant.sessionId), ['authn_token_reuse']);
    assert.equal((await engine.sessions.rotate(rotation('r1', 'r2', 3000 + graceMs))).outcome, 'session_ended');
  });

  test(`${engineName}: once the successors are forgotten, a replay is theft at any time`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    await signIn(engine, 'r0');
    await engine.sessions.rotate(rotation('r0', 'r1', 2000));
    await engine.sessions.forgetSuccessors(2000);
    assert.equal((await engine.sessions.rotate(rotation('r0', 'x', 2001))).outcome, 'replayed');
    await engine.sessions.forgetSuccessors(2001);
    assert.equal((await engine.sessions.rotate(rotation('r0', 'x', 2002))).outcome, 'refresh_reused');
  });
};

const endings = (engineName: string, openEngine: OpenEngine): void => {
  test(`${engineName}: each end of a session is journalled, a repeated one too, and nothing of it can be refreshed`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const { grant } = await signIn(engine, 'r0');
    const [first, again] = [
      await engine.sessions.end(grant.tenantId, grant.sessionId, 2000),
      await engine.sessions.end(grant.tenantId, grant.sessionId, 3000),
    ];
    assert.deepEqual(await readJournal(engine), [...first.entries, ...again.entries]);
    assert.notEqual(first.entries[0]?.id, again.entries[0]?.id);
    assert.equal((await engine.sessions.rotate(rotation('r0', 'r1', 4000))).outcome, 'session_ended');
  });

  test(`${engineName}: another tenant cannot end a session`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const { grant } = await signIn(engine, 'r0');
    const other = await engine.tenants.ensure('other', 1000);
    await engine.sessions.end(other.id, grant.sessionId, 2000);
    assert.equal((await engine.sessions.rotate(rotation('r0', 'r1', 4000))).outcome, 'rotated');
  });

  test(`${engineName}: signing out everywhere raises the epoch once, however often it is repeated`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const seeded = await signIn(engine, 'r0');
    const { tenantId, accountId, grant } = seeded;
    const other = await open(engine, seeded, 'q0');
    const endAll = (sessionId = grant.sessionId) =>
      engine.sessions.endAll(tenantId, accountId, sessionId, grant.accountEpoch, 2000);
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

  test(`${engineName}: a session that has ended cannot sign others out`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const seeded = await signIn(engine, 'r0');
    const { tenantId, accountId, grant } = seeded;
    await open(engine, seeded, 'q0');
    await engine.sessions.end(tenantId, grant.sessionId, 2000);
    assert.equal(
      await engine.sessions.endAll(tenantId, accountId, grant.sessionId, grant.accountEpoch, 3000),
      'session_ended',
    );
    assert.equal((await engine.sessions.rotate(rotation('q0', 'q1', 4000))).outcome, 'rotated');
  });

  test(`${engineName}: a purge takes expired sessions, a bounded number at a time, and their tokens with them`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const seeded = await signIn(engine, 'r0');
    for (const token of ['r1', 'r2', 'r3']) await open(engine, seeded, token);
    await engine.sessions.rotate(rotation('r3', 'r4', 50_000));
    assert.equal(await engine.sessions.purge(101_001, 2), 2);
    assert.equal(await engine.sessions.purge(101_001, 2), 1);
    assert.equal(await engine.sessions.purge(101_001, 2), 0);
    assert.equal((await engine.sessions.rotate(rotation('r0', 'x', 2000))).outcome, 'refresh_invalid');
    assert.equal((await engine.sessions.rotate(rotation('r4', 'r5', 60_000))).outcome, 'rotated');
  });
};

/** Registers the suite for one engine. */
export const sessionStoreContract = (engineName: string, openEngine: OpenEngine): void => {
  refusals(engineName, openEngine);
  rotations(engineName, openEngine);
  endings(engineName, openEngine);
};
