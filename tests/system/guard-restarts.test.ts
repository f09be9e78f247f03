/**
 * Guards of other processes beside a service that is killed, restored and given wrong clocks.
 */
import assert from 'node:assert/strict';
import { cpSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { logOut, signIn, signUp } from '../harness/client.ts';
import { rowsOf } from '../harness/database.ts';
import { addGuardKey } from '../harness/guard-key.ts';
import { type GuardedApi, guardedApiIn } from '../harness/guarded-api.ts';
import { folderIn, freePort, runCatalytic, type Service, type Settings, serviceOn } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

const issuer = 'https://id.example';
const ada = 'ada@example.com';

/** A service at a port that it has again after a restart, and the guard key of its APIs. */
const settingIn = async (t: TestContext, more: Settings = {}) => {
  const dataDir = folderIn(t);
  const settings = { ISSUER: issuer, DATA_DIR: dataDir, PORT: await freePort(), ...more };
  const serve = (): Promise<Service> => serviceOn(t, dataDir, settings);
  const service = await serve();
  const key = addGuardKey(dataDir);
  const guard = { mode: 'strict', issuer, url: service.url, key } as const;
  return { dataDir, service, serve, guard, settings };
};

const tokensOf = ({ url }: Service, count: number): Promise<readonly string[]> =>
  Promise.all(Array.from({ length: count }, async () => (await signIn(url, ada)).access));

/** Counts what an API answers a token with, until it is stopped. */
const asking = (api: GuardedApi, token: string): (() => Promise<Readonly<Record<number, number>>>) => {
  const counts: Record<number, number> = {};
  let isOver = false;
  const work = (async () => {
    for (; !isOver; await delay(20)) {
      const status = await api.statusOf(token);
      counts[status] = (counts[status] ?? 0) + 1;
    }
  })();
  return async () => {
    isOver = true;
    await work;
    return counts;
  };
};

const guardRows = (dataDir: string) =>
  rowsOf(dataDir, `select id, state from member where kind = 'guard' and key is not null`);

suite('guards of other processes', { concurrency: 2 }, () => {
  test('a service that is killed and started again within the lease of a guard is not noticed there, and its sign-outs wait for the guard', async (t) => {
    const { dataDir, service, serve, guard } = await settingIn(t, { REVOCATION_LEASE_MS: 15_000 });
    const api = await guardedApiIn(t, { guard });
    await api.current();
    const { access: live } = await signUp(service.url, ada);
    const { access } = await signIn(service.url, ada);
    const before = guardRows(dataDir);
    const stop = asking(api, live);
    await service.end('SIGKILL');
    const again = await serve();
    const { status } = await logOut(again.url, access);
    assert.deepEqual([status, await api.statusOf(access)], [200, 401]);
    assert.deepEqual(Object.keys(await stop()), ['200'], api.problems());
    assert.deepEqual(guardRows(dataDir), before, 'it is the same registration');
    await api.end();
    assert.deepEqual(guardRows(dataDir), [], 'it has left');
  });

  test('a guard whose clock is an hour off accepts nothing and keeps no sign-out waiting; set right, it serves', async (t) => {
    const { service, guard } = await settingIn(t, { REVOCATION_ANSWER_MS: 4000 });
    const folder = folderIn(t);
    const clockOf = (name: string, hours: number): string => {
      const file = join(folder, name);
      writeFileSync(`${file}.new`, String(hours * 3_600_000));
      renameSync(`${file}.new`, file);
      return file;
    };
    const [right, ahead, behind] = (await Promise.all(
      [0, 1, -1].map((hours) => guardedApiIn(t, { guard, clockFile: clockOf(String(hours), hours) })),
    )) as [GuardedApi, GuardedApi, GuardedApi];
    await right.current();
    const [{ access }, { access: live }] = [await signUp(service.url, ada), await signIn(service.url, ada)];
    const statuses = (token: string) => Promise.all([right, ahead, behind].map((api) => api.statusOf(token)));
    // By a clock that is ahead a token has expired, and by one that is behind it comes from the future.
    assert.deepEqual(await statuses(access), [200, 401, 401]);
    const current = await Promise.all([right, ahead, behind].map(async (api) => (await api.state()).current));
    assert.deepEqual(current, [true, false, false]);
    const tookMs: number[] = [];
    for (const token of [access, ...(await tokensOf(service, 4))]) {
      const sentMs = performance.now();
      assert.equal((await logOut(service.url, token)).status, 200);
      tookMs.push(performance.now() - sentMs);
    }
    assert.ok(Math.min(...tookMs.slice(1)) < 400, `sign-outs took ${tookMs.join(', ')} ms`);
    assert.deepEqual(await statuses(access), [401, 401, 401]);
    clockOf('1', 0);
    clockOf('-1', 0);
    await Promise.all([ahead.current(), behind.current()]);
    assert.deepEqual(
      [await statuses(access), await statuses(live)],
      [
        [401, 401, 401],
        [200, 200, 200],
      ],
    );
    for (const [name, hours] of [
      ['0', 1],
      ['1', -1],
    ] as const)
      clockOf(name, hours);
    const isEither = async (api: GuardedApi): Promise<boolean> => (await api.state()).current;
    await waitUntil(
      'a guard',
      'notice that its clock was set',
      2000,
      async () => !(await isEither(right)) && !(await isEither(ahead)),
    );
    assert.deepEqual(await statuses(live), [401, 401, 200]);
  });

  test('a guard loads anew what a restored database holds: nothing from before is accepted, and what comes after is', async (t) => {
    const { dataDir, service, serve, guard, settings } = await settingIn(t, { REVOCATION_LEASE_MS: 15_000 });
    const api = await guardedApiIn(t, { guard });
    await api.current();
    const [{ access: kept }, { access: ended }] = [await signUp(service.url, ada), await signIn(service.url, ada)];
    const [safe, copy] = [folderIn(t), folderIn(t)];
    const run = async (...words: readonly string[]): Promise<void> => {
      const { code, stderr } = await runCatalytic(words, settings);
      assert.equal(code, 0, stderr);
    };
    await run('backup', '--to', join(safe, 'backup'));
    assert.equal((await logOut(service.url, ended)).status, 200);
    assert.deepEqual([await api.statusOf(kept), await api.statusOf(ended)], [200, 401]);
    await service.end();
    cpSync(dataDir, copy, { recursive: true });
    await run('restore', join(safe, 'backup'));

    /** The service serves again: what came before is dead, what comes now is not, until it is signed out. */
    const servesAnew = async (): Promise<Service> => {
      const anew = await serve();
      await waitUntil('the guard', 'refuse what came before', 20_000, async () => (await api.statusOf(kept)) === 401);
      assert.equal(await api.statusOf(ended), 401);
      await api.current();
      const [{ access }, { access: live }] = [await signIn(anew.url, ada), await signIn(anew.url, ada)];
      await waitUntil('the guard', 'accept what came after', 5000, async () => (await api.statusOf(access)) === 200);
      const { status } = await logOut(anew.url, access);
      // Guards of the time before, whose rows were lost, may hold a lease: nothing is promised until that is over.
      assert.ok(status === 200 || status === 202, String(status));
      await waitUntil('the guard', 'refuse a token', 2000, async () => (await api.statusOf(access)) === 401);
      assert.equal(await api.statusOf(live), 200);
      return anew;
    };
    await (await servesAnew()).end();
    rmSync(dataDir, { recursive: true });
    cpSync(copy, dataDir, { recursive: true });
    await run('after-restore');
    await servesAnew();
  });
});
