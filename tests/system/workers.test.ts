import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { connect } from 'node:net';
import * as nodeTest from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { listProcesses, signal } from '@catalytic/lab/process-tree';
import { Deployment } from '../faults/deployment.ts';
import { type PinnedWorker, pinWorkers } from '../faults/pinned-worker.ts';
import { passwordHash } from '../harness/accounts.ts';
import { get, goodPassword } from '../harness/client.ts';
import { basicOf } from '../harness/oauth.ts';
import { needsPostgres } from '../harness/postgres.ts';
import { folderIn, runCatalytic, serviceIn } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

const { suite, test, after, before } = nodeTest;

const credentials = (deployment: Deployment, index: number, password = goodPassword) => ({
  email: deployment.email(index),
  password,
  tenant: 'lab',
});

suite('workers on PostgreSQL', needsPostgres(), () => {
  let deployment: Deployment;
  let workers: readonly PinnedWorker[];

  before(async () => {
    deployment = await Deployment.start({ machines: [2], leaseMs: 5000, answerMs: 1000 });
    workers = await deployment.healthy();
  });
  after(async () => {
    await Promise.all(workers.map((worker) => worker.close()));
    await deployment[Symbol.asyncDispose]();
  });

  const pair = (): readonly [PinnedWorker, PinnedWorker] => workers as unknown as readonly [PinnedWorker, PinnedWorker];

  test('a sign-out on one worker is true on the other when it answers, and so is a repeated one', async () => {
    const [one, two] = pair();
    for (let round = 0; round < 20; round++) {
      const { body } = await one.send('POST', '/auth/login', { body: credentials(deployment, 0) });
      const token = String(body['access_token']);
      assert.equal((await two.send('GET', '/auth/verify', { token })).status, 200);
      const path = round % 2 === 0 ? '/auth/logout' : '/auth/logout-all';
      assert.equal((await one.send('POST', path, { token })).status, 200);
      assert.equal((await two.send('GET', '/auth/verify', { token })).body['code'], 'token_revoked');
      assert.equal((await two.send('POST', '/auth/logout', { token })).status, 200);
    }
  });

  test('a token that was revoked on one worker is inactive on the other when the answer comes', async () => {
    const [one, two] = pair();
    const key = await deployment.addGuardKey();
    const introspect = async (worker: PinnedWorker, token: string): Promise<unknown> => {
      const form = new URLSearchParams({ token });
      const { status, body } = await worker.send('POST', '/oauth/introspect', { form, authorization: basicOf(key) });
      return status === 200 ? body['active'] : status;
    };
    for (let round = 0; round < 20; round++) {
      const { body } = await one.send('POST', '/auth/login', { body: credentials(deployment, 0) });
      const token = String(body['access_token']);
      assert.equal(await introspect(two, token), true);
      const form = new URLSearchParams({ token: round % 2 === 0 ? token : String(body['refresh_token']) });
      assert.equal((await one.send('POST', '/oauth/revoke', { form })).status, 200);
      assert.equal(await introspect(two, token), false);
    }
  });

  test('an old password is refused by a worker whose login cache still knows it', async () => {
    const [one, two] = pair();
    const body = credentials(deployment, 1);
    const [first] = await Promise.all([one, two].map((worker) => worker.send('POST', '/auth/login', { body })));
    const token = String(first?.body['access_token']);
    // What a change of the password does, in one transaction.
    await deployment.query(
      `with changed as (
         update account set password_hash = $2, epoch = epoch + 1 where email = $1 returning id, epoch
       ) insert into journal (id, kind, key, epoch, keep_until) select $3, 'account', id::text, epoch, 9e15::bigint from changed`,
      body.email,
      passwordHash('eleven lanterns over the harbour'),
      randomUUIDv7(),
    );
    for (const worker of [two, one])
      assert.equal((await worker.send('POST', '/auth/login', { body })).body['code'], 'credentials_invalid');
    await delay(300);
    for (const worker of [one, two])
      assert.equal((await worker.send('GET', '/auth/verify', { token })).body['code'], 'token_revoked');
    const changed = credentials(deployment, 1, 'eleven lanterns over the harbour');
    assert.equal((await two.send('POST', '/auth/login', { body: changed })).status, 200);
  });

  test('sign-ins on both workers at the same time, the first with an imported hash, all succeed', async () => {
    const imported = passwordHash(goodPassword, { memoryKib: 8192, passes: 3, parallelism: 1 });
    for (let round = 0; round < 3; round++) {
      const body = credentials(deployment, 2);
      await deployment.query('update account set password_hash = $2 where email = $1', body.email, imported);
      const asked = [...workers, ...workers].map((worker) => worker.send('POST', '/auth/login', { body }));
      assert.deepEqual(
        (await Promise.all(asked)).map(({ status }) => status),
        [200, 200, 200, 200],
      );
    }
  });

  test('a worker that is killed is replaced, and its row is gone', async () => {
    const [one] = pair();
    deployment.expectedDeaths += 1;
    process.kill(one.pid, 'SIGKILL');
    await Promise.all(workers.map((worker) => worker.close()));
    workers = await deployment.healthy();
    assert.ok(workers.every(({ pid }) => pid !== one.pid));
    await delay(500);
    assert.equal((await deployment.query('select 1 from member')).length, 2);
  });

  test('a worker that dies while the database is away comes back with it', async () => {
    const [one] = pair();
    await deployment.postgres.stop();
    deployment.expectedDeaths += 1;
    process.kill(one.pid, 'SIGKILL');
    const hasRefused = (): boolean => deployment.service.output().includes('A worker cannot start');
    for (let looks = 0; looks < 200 && !hasRefused(); looks++) await delay(50);
    assert.ok(hasRefused(), 'the supervisor goes on');
    await deployment.postgres.start();
    await Promise.all(workers.map((worker) => worker.close()));
    workers = await deployment.healthy();
  });

  test('a reload replaces every worker and drops no request', async () => {
    const pids = new Set(workers.map(({ pid }) => pid));
    // Idle connections would be waited for.
    await Promise.all(workers.map((worker) => worker.close()));
    let isOver = false;
    let answers = 0;
    const asking = Array.from({ length: 4 }, async () => {
      for (; !isOver; answers++) {
        const { status, text } = await get(`${deployment.service.url}/health/ready`);
        assert.equal(status, 200, text);
        // The workers that start need CPU time too.
        await delay(10);
      }
    });
    deployment.service.process.kill('SIGHUP');
    const isReplaced = (): boolean => deployment.service.output().split('Reloaded a worker').length === 3;
    const waiting = async (): Promise<void> => {
      for (let looks = 0; looks < 1200 && !isReplaced(); looks++) await delay(50);
    };
    // A request that fails ends the wait.
    await Promise.race([waiting(), Promise.all(asking)]).finally(() => {
      isOver = true;
    });
    await Promise.all(asking);
    assert.ok(isReplaced(), 'every worker was replaced within a minute');
    workers = await deployment.healthy();
    assert.ok(
      workers.every(({ pid }) => !pids.has(pid)),
      'every worker is a new one',
    );
    assert.ok(answers > 100, `${answers} requests were answered meanwhile`);
  });
});

test('more workers on SQLite are refused with the sentence that names DATABASE_URL', async () => {
  const { code, stderr } = await runCatalytic(['serve', '--workers', '4'], { DATA_DIR: '/nonexistent' });
  assert.equal(code, 2);
  assert.match(stderr, /Cannot run 4 workers on SQLite.* set DATABASE_URL/);
});

test('a database that cannot be reached in time stops the start with the reason and a code of its own', async (t) => {
  const { code, stderr } = await runCatalytic(['serve', '--workers', '2'], {
    DATABASE_URL: 'postgres://nobody:canary@127.0.0.1:1/none',
    DATABASE_WAIT_SECONDS: 1,
    DATA_DIR: folderIn(t),
  });
  assert.equal(code, 3);
  assert.match(stderr, /waiting for it, at most 1 s/);
  assert.match(stderr, /Cannot use the database that DATABASE_URL names/);
  assert.doesNotMatch(stderr, /canary/);
});

test('workers that die again and again stop the service with the reason', needsPostgres(), async (t) => {
  await using deployment = await Deployment.start({ machines: [1], leaseMs: 5000, answerMs: 1000 });
  const { service } = deployment;
  let lastPid = 0;
  const ended = service.end('SIGCONT');
  let isOver = false;
  void ended.finally(() => {
    isOver = true;
  });
  t.after(() => {
    isOver = true;
  });
  while (!isOver) {
    const worker = listProcesses().find(
      ({ parent, pid, command }) => parent === service.process.pid && pid !== lastPid && command.includes('main.ts'),
    );
    if (worker !== undefined) {
      lastPid = worker.pid;
      signal(worker.pid, 'SIGKILL');
    }
    await delay(20);
  }
  assert.equal(await ended, 1);
  assert.match(service.output(), /the workers die again and again, the last one by SIGKILL/);
});

test('connections past the cap are turned away, those below it are served', async (t) => {
  const service = await serviceIn(t, { MAX_CONNECTIONS: 5, EXPOSE_WORKER: 1 });
  const port = Number(new URL(service.url).port);
  const sockets = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  // Each is turned away with an answer, which a client reads.
  for (const socket of sockets) socket.resume();
  await waitUntil('the service', 'turn three away', 3000, () => sockets.filter(({ closed }) => closed).length === 3);
  await delay(100);
  assert.equal(sockets.filter(({ destroyed, readableEnded }) => !destroyed && !readableEnded).length, 5);
  for (const socket of sockets) socket.destroy();
  await delay(100);
  const [worker] = await pinWorkers(service.url, 1, 1);
  assert.equal(worker?.number, 1);
  await worker?.close();
});
