/**
 * A guard behind a balancer that leads each of its polls to another worker, while the workers are on different histories of the database.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startProxy } from '@catalytic/lab/proxy';
import { Deployment } from '../faults/deployment.ts';
import type { Machine } from '../faults/machine.ts';
import { goodPassword, logOut, signIn } from '../harness/client.ts';
import { guardedApiIn } from '../harness/guarded-api.ts';
import { copyDataFolder } from '../harness/postgres/template.ts';
import { needsPostgres } from '../harness/postgres.ts';
import { waitUntil } from '../harness/wait-until.ts';

const leaseMs = 2000;
const issuer = 'https://id.example';
const healthyMsMax = 20_000;
const skip = needsPostgres().skip;

test('a worker that still holds the history of before does not mislead a guard that has the new one', {
  skip,
}, async (t) => {
  const deployment = await Deployment.start({ machines: [1, 1], leaseMs, answerMs: 1000 });
  t.after(() => deployment[Symbol.asyncDispose]());
  const { postgres, machines } = deployment;
  const [first, second] = machines as [Machine, Machine];
  const targets = machines.map(({ url }) => ({ host: '127.0.0.1', port: Number(new URL(url).port) }));
  const way = await startProxy({ listenPort: 0, targetHost: '127.0.0.1', targetPort: targets[0]?.port ?? 0 });
  t.after(() => way.close());
  const lead = (turn: number): void => way.redirect(targets[turn % targets.length] as (typeof targets)[number]);
  const key = await deployment.addGuardKey();
  const guard = { mode: 'strict', issuer, url: `http://127.0.0.1:${way.port}`, key } as const;
  const api = await guardedApiIn(t, { guard });
  await api.current();
  const tokenOf = async ({ url }: Machine): Promise<string> =>
    (await signIn(url, deployment.email(0), goodPassword, 'lab')).access;
  const [live, dead, later] = [await tokenOf(first), await tokenOf(first), await tokenOf(second)];
  assert.equal((await logOut(first.url, dead)).status, 200);
  assert.deepEqual([await api.statusOf(live), await api.statusOf(dead)], [200, 401]);

  const copy = join(mkdtempSync(join(dirname(postgres.dataDir), 'copy-')), 'data');
  t.after(() => rmSync(dirname(copy), { recursive: true, force: true }));
  await postgres.stop();
  copyDataFolder(postgres.dataDir, copy);
  await postgres.start();
  for (const worker of await deployment.healthy()) await worker.close();
  // What the copy lacks. Both workers have read it before one of them freezes.
  await deployment.query("update account set status = status where email like 'fault1%'");
  for (let count = 0; count < 5; count++) await logOut(second.url, await tokenOf(second));
  // The second worker knows the guard and its key.
  lead(1);
  await delay(leaseMs);
  assert.equal(await api.statusOf(live), 200, api.problems());
  lead(0);
  await api.current();
  second.signal('SIGSTOP');
  await postgres.stop('immediate');
  await delay(1.2 * leaseMs);
  rmSync(postgres.dataDir, { recursive: true });
  copyDataFolder(copy, postgres.dataDir);
  await postgres.start();
  await waitUntil('the first machine', 'notice', healthyMsMax, () => first.output().includes('another history'));
  await waitUntil('the guard', 'have the new history', healthyMsMax, async () => (await api.statusOf(live)) === 200);
  const registered = (): number => deployment.output().split('A guard is registered').length - 1;
  const before = registered();

  // It cannot read, so it stays on the history of before.
  second.cut(['database']);
  second.signal('SIGCONT');
  const statuses = { live: new Set<number>(), dead: new Set<number>() };
  const untilMs = performance.now() + 2 * leaseMs;
  for (let turn = 0; performance.now() < untilMs; turn++) {
    // At first the guard meets that worker alone, for less than its lease, and then both in turn.
    if (turn === 0) lead(1);
    else if (performance.now() > untilMs - 1.5 * leaseMs && turn % 20 === 0) lead(turn / 20);
    if (performance.now() > untilMs - leaseMs) second.heal();
    statuses.live.add(await api.statusOf(live));
    statuses.dead.add(await api.statusOf(dead));
    await delay(10);
  }
  const seen = { live: [...statuses.live], dead: [...statuses.dead], registrations: registered() - before };
  assert.deepEqual(seen, { live: [200], dead: [401], registrations: 0 }, api.problems());
  assert.ok(second.output().includes('another history'), 'the second machine has noticed, too');
  assert.equal((await logOut(second.url, later)).status, 200);
  assert.equal(await api.statusOf(later), 401);
});
