import assert from 'node:assert/strict';
import * as nodeTest from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Deployment } from '../faults/deployment.ts';
import { type PinnedWorker, pinWorkers } from '../faults/pinned-worker.ts';
import { get, goodPassword, logOut, post, signUp } from '../harness/client.ts';
import { readMetrics } from '../harness/metrics.ts';
import { operateUrlOf } from '../harness/operate-url.ts';
import { needsPostgres } from '../harness/postgres.ts';
import { serviceIn } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

const { suite, test, after, before } = nodeTest;

const complete = (worker: number): string =>
  `catalytic_revocation_barrier_seconds_count{answer="complete",worker="${worker}"}`;

const signOut = async (worker: PinnedWorker, email: string): Promise<string> => {
  const body = { email, password: goodPassword, tenant: 'lab' };
  const token = String((await worker.send('POST', '/auth/login', { body })).body['access_token']);
  assert.equal((await worker.send('POST', '/auth/logout', { token })).status, 200);
  return token;
};

test('a process alone shows what it has measured, in a text that holds nothing of its users', async (t) => {
  const { url } = await serviceIn(t);
  const first = await get(`${url}/metrics`);
  assert.equal(first.status, 200);
  assert.equal(first.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.equal(readMetrics(first.text).get(complete(1)), 0);

  const email = 'canary-metrics@example.com';
  const { access, refresh, session } = await signUp(url, email);
  assert.equal((await logOut(url, access)).status, 200);
  await get(`${url}/canary-path?canary=1`, 'canary-token');
  await post(`${url}/auth/login`, { email, password: 'canary, but the wrong one' });

  const { text } = await get(`${url}/metrics`);
  const metrics = readMetrics(text);
  assert.equal(metrics.get(complete(1)), 1);
  assert.equal(metrics.get('catalytic_view_entries{worker="1"}'), 1);
  assert.equal(metrics.get('catalytic_current{worker="1"}'), 1);
  assert.equal(metrics.get('catalytic_members{worker="1"}'), 1);
  assert.ok((metrics.get('catalytic_currency_age_seconds{worker="1"}') ?? 9) < 1);
  assert.ok((metrics.get('catalytic_process_resident_memory_bytes{worker="1"}') ?? 0) > 2 ** 24);
  assert.ok((metrics.get('catalytic_process_cpu_user_seconds_total{worker="1"}') ?? 0) > 0);
  assert.equal(metrics.get('catalytic_workers_reporting'), 1);
  for (const secret of [access, refresh, session, goodPassword, email, 'canary'])
    assert.ok(!text.includes(secret), `the page holds ${secret}`);
});

test('the page takes no query, no body and no other method', async (t) => {
  const { url } = await serviceIn(t);
  assert.equal((await get(`${url}/metrics?name=x`)).body['code'], 'body_invalid');
  assert.equal((await post(`${url}/metrics`, {})).body['code'], 'method_unsupported');
});

suite('metrics of several workers', needsPostgres(), () => {
  let deployment: Deployment;
  let workers: readonly PinnedWorker[];
  const pair = (): readonly [PinnedWorker, PinnedWorker] =>
    [...workers].sort((a, b) => a.number - b.number) as unknown as readonly [PinnedWorker, PinnedWorker];
  /** The same workers, over the operate listener. */
  let operated: readonly PinnedWorker[];
  const scrape = async ({ number }: PinnedWorker) => {
    const worker = operated.find((other) => other.number === number);
    assert.ok(worker !== undefined);
    return readMetrics(await worker.read('/metrics'));
  };

  before(async () => {
    deployment = await Deployment.start({ machines: [2], leaseMs: 5000, answerMs: 1000 });
    workers = await deployment.healthy();
    operated = await pinWorkers(operateUrlOf(deployment.service), 2);
  });
  after(async () => {
    await Promise.all([...workers, ...operated].map((worker) => worker.close()));
    await deployment[Symbol.asyncDispose]();
  });

  test('whichever worker is asked shows all of them, each under its number', async () => {
    const [one, two] = pair();
    const before = await scrape(one);
    await signOut(one, deployment.email(0));
    await signOut(one, deployment.email(1));
    await signOut(two, deployment.email(2));
    for (const asked of [one, two]) {
      const beganMs = performance.now();
      const metrics = await scrape(asked);
      assert.ok(performance.now() - beganMs < 450, 'nobody is waited for');
      const rise = (series: string): number => (metrics.get(series) ?? 0) - (before.get(series) ?? 0);
      assert.deepEqual([rise(complete(1)), rise(complete(2))], [2, 1]);
      const confirmed = ['acknowledgement', 'journal', 'gone'].map((by) =>
        rise(`catalytic_revocation_propagation_seconds_count{by="${by}",worker="1"}`),
      );
      assert.equal(
        confirmed.reduce((sum, count) => sum + count),
        2,
        'the one other member has confirmed each',
      );
      assert.equal(metrics.get('catalytic_workers'), 2);
      assert.equal(metrics.get('catalytic_workers_reporting'), 2);
      for (const number of [1, 2]) {
        assert.ok((metrics.get(`catalytic_currency_age_seconds{worker="${number}"}`) ?? 9) < 1);
        assert.equal(metrics.get(`catalytic_members{worker="${number}"}`), 2);
        // A worker may be at work with its only connection at this very moment.
        await waitUntil(`worker ${number}`, 'show an idle connection', 2000, async () => {
          const idle = `catalytic_database_connections{state="idle",worker="${number}"}`;
          return ((await scrape(asked)).get(idle) ?? 0) > 0;
        });
      }
    }
  });

  test('scrapes of all workers at once are all answered whole', async () => {
    const pages = await Promise.all(
      Array.from({ length: 20 }, (_, index) => scrape(pair()[index % 2] as PinnedWorker)),
    );
    for (const page of pages) assert.equal(page.get('catalytic_workers_reporting'), 2);
  });

  test('a frozen worker is left out within a second, and is back when it runs again', async () => {
    const [one, two] = pair();
    process.kill(two.pid, 'SIGSTOP');
    try {
      const beganMs = performance.now();
      const metrics = await scrape(one);
      assert.ok(performance.now() - beganMs < 1000, `answered after ${performance.now() - beganMs} ms`);
      assert.equal(metrics.get('catalytic_workers_reporting'), 1);
      assert.equal(metrics.get('catalytic_current{worker="1"}'), 1);
      assert.equal(metrics.get('catalytic_current{worker="2"}'), undefined);
    } finally {
      process.kill(two.pid, 'SIGCONT');
    }
    await delay(200);
    assert.equal((await scrape(one)).get('catalytic_workers_reporting'), 2);
  });

  test('a frozen supervisor leaves the asked worker to show its own within a second', async () => {
    const [, two] = pair();
    const { pid } = deployment.service.process;
    assert.ok(pid !== undefined);
    process.kill(pid, 'SIGSTOP');
    try {
      const beganMs = performance.now();
      const metrics = await scrape(two);
      assert.ok(performance.now() - beganMs < 1000, `answered after ${performance.now() - beganMs} ms`);
      assert.equal(metrics.get('catalytic_workers_reporting'), 1);
      assert.equal(metrics.get('catalytic_current{worker="2"}'), 1);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await delay(200);
    assert.equal((await scrape(two)).get('catalytic_workers_reporting'), 2);
  });

  test('a revoke that a frozen worker delays is counted as pending, and the mark as well', async () => {
    const [one, two] = pair();
    const email = deployment.email(3);
    const body = { email, password: goodPassword, tenant: 'lab' };
    const token = String((await one.send('POST', '/auth/login', { body })).body['access_token']);
    const before = await scrape(one);
    process.kill(two.pid, 'SIGSTOP');
    let metrics: ReadonlyMap<string, number>;
    try {
      assert.equal((await one.send('POST', '/auth/logout', { token })).status, 202);
      metrics = await scrape(one);
    } finally {
      process.kill(two.pid, 'SIGCONT');
    }
    for (const series of [
      'catalytic_revocations_pending_total{worker="1"}',
      'catalytic_members_marked_total{worker="1"}',
      'catalytic_revocation_barrier_seconds_count{answer="pending",worker="1"}',
    ])
      assert.equal((metrics.get(series) ?? 0) - (before.get(series) ?? 0), 1, series);
  });
});
