/**
 * What still works while something is away, and for how long: `node tests/faults/away.ts [--lease 5000] [--out FILE.json]`. Every 100 ms it
 * verifies on each worker, signs in, refreshes and signs out, before, during and after each outage, and prints what was answered when.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { signal } from '../../packages/lab/src/faults/process-tree.ts';
import { bothDirections } from '../../packages/lab/src/faults/proxy.ts';
import { goodPassword } from '../harness/client.ts';
import { Deployment } from './deployment.ts';
import type { PinnedWorker } from './pinned-worker.ts';

interface Sample {
  readonly operation: string;
  /** Since the outage began, seconds; when the request was sent. */
  readonly atS: number;
  readonly status: number;
  readonly ms: number;
}

type Outage = (deployment: Deployment, victim: PinnedWorker) => Promise<() => Promise<void> | void>;

const { values } = parseArgs({ options: { lease: { type: 'string', default: '5000' }, out: { type: 'string' } } });
const leaseMs = Number(values.lease);
const everyMs = 100;
/** Long enough to see the lease end, and a frozen process be evicted. */
const outageMs = 500 + 1.2 * leaseMs + 3000;
const afterMs = 4000;

const outages: Readonly<Record<string, Outage>> = {
  'PostgreSQL killed': async ({ postgres }) => {
    await postgres.kill();
    return () => postgres.start();
  },
  'PostgreSQL frozen': async ({ postgres }) => {
    postgres.pause();
    return () => postgres.resume();
  },
  'one worker frozen': async (_deployment, { pid }) => {
    signal(pid, 'SIGSTOP');
    return () => void signal(pid, 'SIGCONT');
  },
  'one worker cut from PostgreSQL': async (deployment, victim) => {
    const machine = deployment.machineOf(victim);
    machine.way('database').cut(bothDirections, [victim.pid]);
    return () => machine.heal();
  },
  'one worker killed': async (deployment, { pid }) => {
    deployment.expectedDeaths += 1;
    signal(pid, 'SIGKILL');
    return () => {};
  },
};

const tokensOf = (body: Record<string, unknown>) => ({
  access: String(body['access_token']),
  refresh: String(body['refresh_token']),
});

const watch = async (name: string, outage: Outage): Promise<object> => {
  await using deployment = await Deployment.start({ machines: [3], leaseMs, answerMs: 1000 });
  const workers = await deployment.healthy();
  const [asked, victim] = workers as unknown as readonly [PinnedWorker, PinnedWorker];
  const signIn = async (worker = asked) =>
    worker.send('POST', '/auth/login', {
      body: { email: deployment.email(1), password: goodPassword, tenant: 'lab' },
    });
  const live = tokensOf((await signIn()).body);
  let chain = tokensOf((await signIn()).body).refresh;
  const toEnd: string[] = [];
  for (let count = 0; count < (outageMs + afterMs + 2000) / everyMs; count++)
    toEnd.push(tokensOf((await signIn()).body).access);

  const samples: Sample[] = [];
  let beganMs = Number.POSITIVE_INFINITY;
  const time = async (operation: string, call: () => Promise<{ status: number }>): Promise<void> => {
    const sentMs = performance.now();
    const status = await call().then(
      (reply) => reply.status,
      () => 0,
    );
    samples.push({ operation, atS: (sentMs - beganMs) / 1000, status, ms: performance.now() - sentMs });
  };
  let isOver = false;
  const pending: Promise<void>[] = [];
  const asking = (async () => {
    for (; !isOver; await delay(everyMs)) {
      for (const worker of workers) {
        const where = worker === victim ? 'verify, the worker it happens to' : 'verify, the others';
        pending.push(time(where, () => worker.send('GET', '/auth/verify', { token: live.access })));
      }
      pending.push(time('login', signIn));
      pending.push(
        time('refresh', async () => {
          const reply = await asked.send('POST', '/auth/refresh', { body: { refresh_token: chain } });
          if (reply.status === 200) chain = tokensOf(reply.body).refresh;
          return reply;
        }),
      );
      const token = toEnd.shift();
      if (token !== undefined) pending.push(time('logout', () => asked.send('POST', '/auth/logout', { token })));
    }
  })();
  await delay(1000);
  beganMs = performance.now();
  const heal = await outage(deployment, victim);
  await delay(Math.max(0, outageMs - (performance.now() - beganMs)));
  const healedS = (performance.now() - beganMs) / 1000;
  await heal();
  await delay(afterMs);
  isOver = true;
  await asking;
  await Promise.all(pending);
  await Promise.all(workers.map((worker) => worker.close()));
  return { outage: name, lease_ms: leaseMs, healed_s: round(healedS), operations: summarise(samples, healedS) };
};

const round = (value: number): number => Math.round(value * 100) / 100;

/** Runs of equal answers, in the order they were sent: "200 from 0 to 5.1 s, median 1 ms". */
const summarise = (samples: readonly Sample[], healedS: number): object => {
  const byOperation = Map.groupBy(
    samples.filter(({ atS }) => atS >= 0),
    ({ operation }) => operation,
  );
  return Object.fromEntries(
    [...byOperation].map(([operation, all]) => [
      operation,
      [...Map.groupBy(all, ({ status, atS }) => `${status} ${atS < healedS ? 'during' : 'after'}`)].map(
        ([name, group]) => {
          const times = group.map(({ ms }) => ms).sort((a, b) => a - b);
          return {
            answer: name,
            count: group.length,
            first_s: round(Math.min(...group.map(({ atS }) => atS))),
            last_s: round(Math.max(...group.map(({ atS }) => atS))),
            median_ms: round(times[times.length >> 1] ?? 0),
            max_ms: round(times.at(-1) ?? 0),
          };
        },
      ),
    ]),
  );
};

const results: object[] = [];
for (const [name, outage] of Object.entries(outages)) {
  const result = await watch(name, outage);
  results.push(result);
  process.stdout.write(`${JSON.stringify(result, null, 1)}\n`);
  if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(results, null, 2)}\n`);
}
