/**
 * What still works while the database or a worker is away, and for how long?
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { signal } from '@catalytic/lab/process-tree';
import { bothDirections } from '@catalytic/lab/proxy';
import { Deployment } from '../tests/faults/deployment.ts';
import type { PinnedWorker } from '../tests/faults/pinned-worker.ts';
import { goodPassword } from '../tests/harness/client.ts';
import { runBench } from './harness/bench.ts';
import { largest, median, round, table } from './harness/figures.ts';
import { number } from './harness/options.ts';
import { say } from './harness/result.ts';

const help = `A supervisor and three workers on PostgreSQL. Every 100 ms the bench verifies on each worker, signs in, refreshes and signs out, before, during
and after each outage: PostgreSQL killed and frozen, and one worker frozen, cut from PostgreSQL and killed. It lists which answers came when.

  npm run bench -- away [--lease 5000] [--out FILE]

--lease  milliseconds for which a worker may go on without reading the journal

About 3 minutes with the usual lease.
`;

const everyMs = 100;
const beforeMs = 1000;
const afterMs = 4000;

/** Long enough to see the lease end, and a frozen process be evicted. */
const outageMsOf = (leaseMs: number): number => 500 + 1.2 * leaseMs + 3000;

interface Sample {
  readonly operation: string;
  /** When the request was sent, seconds since the outage began. */
  readonly atSeconds: number;
  readonly status: number;
  readonly tookMs: number;
}

/** Begins an outage. Returns how to end it. */
type Outage = (deployment: Deployment, victim: PinnedWorker) => Promise<() => Promise<void> | void>;

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

/** Every operation, again and again. */
class Watch {
  readonly samples: Sample[] = [];
  readonly #workers: readonly PinnedWorker[];
  readonly #asked: PinnedWorker;
  readonly #victim: PinnedWorker;
  readonly #email: string;
  readonly #pending: Promise<void>[] = [];
  readonly #toEnd: string[] = [];
  #live = '';
  #chain = '';
  #outageAtMs = Number.POSITIVE_INFINITY;
  #isOver = false;

  constructor(workers: readonly PinnedWorker[], asked: PinnedWorker, victim: PinnedWorker, email: string) {
    this.#workers = workers;
    this.#asked = asked;
    this.#victim = victim;
    this.#email = email;
  }

  /** Signs the sessions in that the watch needs. @param ms how long it will go on */
  async prepare(ms: number): Promise<void> {
    this.#live = tokensOf((await this.#signIn()).body).access;
    this.#chain = tokensOf((await this.#signIn()).body).refresh;
    for (let count = 0; count < ms / everyMs; count++) this.#toEnd.push(tokensOf((await this.#signIn()).body).access);
  }

  /** Asks until {@link end}. */
  async run(): Promise<void> {
    for (; !this.#isOver; await delay(everyMs)) this.#askAll();
    await Promise.all(this.#pending);
  }

  /** The outage begins now. */
  markOutage(): void {
    this.#outageAtMs = performance.now();
  }

  end(): void {
    this.#isOver = true;
  }

  #signIn() {
    return this.#asked.send('POST', '/auth/login', {
      body: { email: this.#email, password: goodPassword, tenant: 'lab' },
    });
  }

  async #refresh(): Promise<{ readonly status: number }> {
    const reply = await this.#asked.send('POST', '/auth/refresh', { body: { refresh_token: this.#chain } });
    if (reply.status === 200) this.#chain = tokensOf(reply.body).refresh;
    return reply;
  }

  #askAll(): void {
    for (const worker of this.#workers) {
      const where = worker === this.#victim ? 'verify, the worker it happens to' : 'verify, the others';
      this.#time(where, () => worker.send('GET', '/auth/verify', { token: this.#live }));
    }
    this.#time('login', () => this.#signIn());
    this.#time('refresh', () => this.#refresh());
    const token = this.#toEnd.shift();
    if (token !== undefined) this.#time('logout', () => this.#asked.send('POST', '/auth/logout', { token }));
  }

  #time(operation: string, call: () => Promise<{ readonly status: number }>): void {
    const sentMs = performance.now();
    const note = (status: number): void => {
      const atSeconds = (sentMs - this.#outageAtMs) / 1000;
      this.samples.push({ operation, atSeconds, status, tookMs: performance.now() - sentMs });
    };
    this.#pending.push(
      call().then(
        ({ status }) => note(status),
        () => note(0),
      ),
    );
  }
}

/** Equal answers of an operation, during the outage or after it. */
const summarise = (samples: readonly Sample[], healedSeconds: number) => {
  const counted = samples.filter(({ atSeconds }) => atSeconds >= 0);
  const partOf = ({ atSeconds }: Sample): string => (atSeconds < healedSeconds ? 'during' : 'after');
  return [...Map.groupBy(counted, (one) => `${one.operation}\n${one.status} ${partOf(one)}`)].map(([name, group]) => {
    const [operation = '', answer = ''] = name.split('\n');
    return {
      operation,
      answer,
      count: group.length,
      firstS: round(Math.min(...group.map(({ atSeconds }) => atSeconds)), 2),
      lastS: round(Math.max(...group.map(({ atSeconds }) => atSeconds)), 2),
      medianMs: round(median(group.map(({ tookMs }) => tookMs)), 2),
      maxMs: round(largest(group.map(({ tookMs }) => tookMs)), 2),
    };
  });
};

const watch = async (outage: Outage, leaseMs: number) => {
  await using deployment = await Deployment.start({ machines: [3], leaseMs, answerMs: 1000 });
  const workers = await deployment.healthy();
  const [asked, victim] = workers as unknown as readonly [PinnedWorker, PinnedWorker];
  const watching = new Watch(workers, asked, victim, deployment.email(1));
  const outageMs = outageMsOf(leaseMs);
  await watching.prepare(beforeMs + outageMs + afterMs + 1000);
  const asking = watching.run();
  await delay(beforeMs);
  watching.markOutage();
  const beganMs = performance.now();
  const heal = await outage(deployment, victim);
  await delay(Math.max(0, outageMs - (performance.now() - beganMs)));
  const healedSeconds = (performance.now() - beganMs) / 1000;
  await heal();
  await delay(afterMs);
  watching.end();
  await asking;
  await Promise.all(workers.map((worker) => worker.close()));
  return { healedS: round(healedSeconds, 2), answers: summarise(watching.samples, healedSeconds) };
};

await runBench({
  help,
  options: { lease: number(5000, { min: 100, max: 60_000 }) },
  measures: 'counts',
  run: async ({ values: { lease: leaseMs } }) => {
    const results = [];
    for (const [outage, begin] of Object.entries(outages)) {
      say(outage);
      results.push({ outage, ...(await watch(begin, leaseMs)) });
    }
    return {
      figures: { leaseMs, results },
      table: results
        .map(
          ({ outage, healedS, answers }) =>
            `${outage}, over after ${healedS} s\n\n${table(
              ['operation', 'answer', 'count', 'first s', 'last s', 'median ms', 'max ms'],
              answers.map((one) => Object.values(one)),
            )}`,
        )
        .join('\n'),
    };
  },
});
