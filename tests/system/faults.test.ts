/**
 * Parts of the service fail while it runs: the database is held by somebody else, the hashing process dies.
 * @module
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { get, goodPassword, logOut, post, refresh, signIn, signUp, tokensOf } from '../harness/client.ts';
import { assertProblem } from '../harness/problems.ts';
import { randomFrom, seed } from '../harness/seed.ts';
import { folderIn, serviceIn, spawnCatalytic } from '../harness/service.ts';

const service = await serviceIn({ after }, { LOGIN_CACHE_SECONDS: 600 });
const { url, dataDir } = service;

/** Processes started by a process, and whether they still run. */
const childrenOf = (parent: number | undefined): readonly number[] =>
  execFileSync('ps', ['-axo', 'pid=,ppid='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, ppid]) => ppid === parent)
    .flatMap(([pid]) => pid ?? []);
const runs = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

// The first one waits ten seconds for timeouts: the second one runs meanwhile.
suite('database and start', { concurrency: 2 }, () => {
  test('while the database cannot be written, checks go on, everything else is 503, and nothing half-done remains', async () => {
    const stays = await signUp(url, 'stays@example.com');
    const leaves = await signIn(url, 'stays@example.com');
    const holder = new DatabaseSync(join(dataDir, 'catalytic.db'));
    holder.exec('begin immediate');
    try {
      let isHeld = true;
      const checks = (async () => {
        for (let count = 0; ; count += 1) {
          if (!isHeld) return count;
          assert.equal((await get(`${url}/api/protected`, stays.access)).status, 200);
          await delay(20);
        }
      })();
      const [login, refreshed, loggedOut, ready] = await Promise.all([
        post(`${url}/auth/login`, { email: 'stays@example.com', password: goodPassword }),
        refresh(url, stays.refresh),
        logOut(url, leaves.access),
        get(`${url}/health/ready`),
      ]);
      isHeld = false;
      assert.ok((await checks) > 50, 'checks were answered all the time');
      for (const answer of [login, refreshed, ready]) assertProblem(answer, 'store_unavailable');
      assertProblem(loggedOut, 'revocation_unknown');
      for (const { headers } of [login, refreshed, loggedOut, ready])
        assert.match(String(headers.get('retry-after')), /^\d+$/);
    } finally {
      holder.close();
    }
    assert.equal((await get(`${url}/health/ready`)).status, 200);
    tokensOf(await refresh(url, stays.refresh));
    assert.equal((await get(`${url}/api/protected`, leaves.access)).status, 200, 'the sign-out was undone as a whole');
    assert.equal((await logOut(url, leaves.access)).status, 200, 'and may be repeated');
    assertProblem(await get(`${url}/api/protected`, leaves.access), 'token_revoked');
  });

  test('a stop at any moment of the start ends the process, and leaves no other one behind', async (t) => {
    const dataDir = folderIn(t);
    const random = randomFrom(seed);
    for (let round = 0; round < 4; round += 1) {
      const child = spawnCatalytic(['serve'], { PORT: 0, DATA_DIR: dataDir, HASH_LANES: 2 });
      t.after(() => {
        child.kill('SIGKILL');
      });
      const moment = Math.floor(random() * 600);
      const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
        child.once('exit', (code, signal) => resolve([code, signal])),
      );
      await delay(moment);
      const children = childrenOf(child.pid);
      child.kill('SIGTERM');
      const [code, signal] = await ended;
      // Before the service has taken the signal over, the system ends it.
      assert.ok(code === 0 || signal === 'SIGTERM', `after ${moment} ms (SEED=${seed}): code ${code}, ${signal}`);
      await delay(50);
      assert.deepEqual(children.filter(runs), []);
    }
  });
});

test('when the hashing process dies, sign-ins fail as retryable for a moment and nothing else does', async () => {
  const { access } = await signUp(url, 'hashing@example.com');
  const [hashing] = childrenOf(service.process.pid);
  assert.ok(hashing !== undefined);
  process.kill(hashing, 'SIGKILL');
  assert.equal((await get(`${url}/api/protected`, access)).status, 200);
  const deadline = performance.now() + 5000;
  for (;;) {
    const answer = await post(`${url}/auth/register`, { email: 'after@example.com', password: goodPassword });
    if (answer.status === 201) break;
    assertProblem(answer, 'hashing_busy');
    assert.ok(performance.now() < deadline, 'the hashing process comes back');
    await delay(20);
  }
  assert.match(service.output(), /Restarting the hashing process/);
  assert.notDeepEqual(childrenOf(service.process.pid), [hashing]);
});

test('kill -9 leaves no process behind', async () => {
  const children = childrenOf(service.process.pid);
  assert.ok(children.length > 0);
  await service.end('SIGKILL');
  const deadline = performance.now() + 2000;
  while (children.some(runs) && performance.now() < deadline) await delay(20);
  assert.deepEqual(children.filter(runs), []);
});
