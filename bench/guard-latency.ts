/**
 * How long does a sign-out take beside guards, and how soon do guards that follow refuse?
 * @module
 */
import { signal } from '@catalytic/lab/process-tree';
import { Deployment } from '../tests/faults/deployment.ts';
import { type PinnedWorker, pinWorkers } from '../tests/faults/pinned-worker.ts';
import { runBench } from './harness/bench.ts';
import { type Child, startChild } from './harness/child.ts';
import { type Latencies, latencies, round, table } from './harness/figures.ts';
import { number, numbers } from './harness/options.ts';
import { say } from './harness/result.ts';
import { sharedMs } from './harness/shared-clock.ts';
import type { GuardsTasks } from './loads/guards-process.ts';
import { openLoop } from './loads/open-loop.ts';
import type { PollersTasks } from './loads/pollers-process.ts';
import { signInOn } from './loads/sessions.ts';

const help = `Signs sessions out at a fixed rate on PostgreSQL, without Redis, and measures how long the answer takes beside strict guards; then after one
of them was killed, or frozen, how many sign-outs are answered 202 and for how long; then how soon real guards that follow refuse a token whose
sign-out was answered.

  npm run bench -- guard-latency                         0, 1, 4 and 32 strict guards, 50 sign-outs a second for 20 s each
  npm run bench -- guard-latency --guards 0,8 --rate 20 --seconds 10 --workers 4

About 4 minutes. Aims: with one strict guard the p50 is at most 15 ms above that without one; every token that was answered 200 is refused.
`;

const issuer = 'https://id.example';
const leaseMs = 5000;
const connectionsEach = 40;
const followers = 4;
const followedSignOuts = 300;
/** For so long sign-outs go on after a guard was lost: longer than it takes until its row is removed, milliseconds. */
const lossMs = 15_000;
const lossPerSecond = 10;
/** Above the latency without guards, milliseconds. */
const addedMsMax = 15;

interface Place {
  readonly deployment: Deployment;
  readonly workers: readonly PinnedWorker[];
  readonly key: string;
  readonly url: string;
}

const signIn = ({ deployment, workers }: Place, count: number): Promise<readonly string[]> =>
  signInOn(deployment, workers, count);

interface SignedOut {
  readonly status: number;
  readonly tookMs: number;
  /** Since the first one was due. */
  readonly atMs: number;
}

const signOut = async ({ workers }: Place, tokens: readonly string[], perSecond: number): Promise<SignedOut[]> => {
  const beganMs = performance.now();
  const one = async (index: number, dueMs: number): Promise<SignedOut> => {
    const { status } = await (workers[index % workers.length] as PinnedWorker).send('POST', '/auth/logout', {
      token: tokens[index] as string,
    });
    return { status, tookMs: performance.now() - dueMs, atMs: dueMs - beganMs };
  };
  return Promise.all(await openLoop(perSecond, tokens.length, one));
};

const counted = (answers: readonly SignedOut[]) => ({
  answer: latencies(answers.map(({ tookMs }) => tookMs)),
  pending: answers.filter(({ status }) => status === 202).length,
  failed: answers.filter(({ status }) => status !== 200 && status !== 202).length,
});

const pollersOn = async (
  stack: AsyncDisposableStack,
  { url, key }: Place,
  count: number,
): Promise<Child<PollersTasks>> => {
  const child = stack.use(startChild<PollersTasks>(new URL('loads/pollers-process.ts', import.meta.url)));
  await child.ask('start', { url, key, audience: issuer, count, isStrict: true });
  return child;
};

/** Sign-outs beside so many strict guards. */
const besideGuards = async (place: Place, guards: number, rate: number, seconds: number) => {
  await using stack = new AsyncDisposableStack();
  say(`${guards} strict guards …`);
  const child = guards === 0 ? undefined : await pollersOn(stack, place, guards);
  await signOut(place, await signIn(place, rate), rate);
  const answers = await signOut(place, await signIn(place, rate * seconds), rate);
  await child?.ask('stop', undefined);
  return { guards, ...counted(answers) };
};

/** Sign-outs after one of two processes with a guard each was lost. */
const afterLoss = async (place: Place, name: 'SIGKILL' | 'SIGSTOP') => {
  await using stack = new AsyncDisposableStack();
  say(`A guard gets ${name} …`);
  const [lost] = [await pollersOn(stack, place, 1), await pollersOn(stack, place, 1)] as const;
  const tokens = await signIn(place, (lossMs / 1000) * lossPerSecond);
  signal(lost.pid, name);
  const answers = await signOut(place, tokens, lossPerSecond);
  const slow = answers.filter(({ status }) => status === 202).map(({ atMs }) => atMs);
  return {
    signal: name,
    ...counted(answers),
    firstPendingAfterMs: slow.length === 0 ? null : round(Math.min(...slow), 0),
    lastPendingAfterMs: slow.length === 0 ? null : round(Math.max(...slow), 0),
  };
};

/** From the answer until every real guard that follows has refused. */
const followed = async (place: Place) => {
  await using stack = new AsyncDisposableStack();
  say(`${followers} guards that follow …`);
  const { url, key } = place;
  const child = stack.use(startChild<GuardsTasks>(new URL('loads/guards-process.ts', import.meta.url)));
  const options = { mode: 'follow', issuer, audience: issuer, url, key } as const;
  const currentMs = await child.ask('start', { count: followers, options });
  const tokens = await signIn(place, followedSignOuts);
  const afterMs: number[] = [];
  let unrefused = 0;
  for (const [index, token] of tokens.entries()) {
    if (!(await child.ask('accept', token))) throw new Error('A guard that follows refuses a live token');
    const refusing = child.ask('refused', token);
    const worker = place.workers[index % place.workers.length] as PinnedWorker;
    await worker.send('POST', '/auth/logout', { token });
    const answeredMs = sharedMs();
    for (const atMs of await refusing)
      if (Number.isNaN(atMs)) unrefused += 1;
      else afterMs.push(Math.max(0, atMs - answeredMs));
  }
  await child.ask('stop', undefined);
  return { guards: followers, currentMs: round(currentMs, 0), refusedAfterAnswer: latencies(afterMs), unrefused };
};

const latencyCells = ({ samples, p50Ms, p99Ms, maxMs }: Latencies): readonly number[] => [samples, p50Ms, p99Ms, maxMs];

await runBench({
  help,
  options: {
    guards: numbers([0, 1, 4, 32], { min: 0, max: 100 }),
    rate: number(50, { max: 1000 }),
    seconds: number(20, { max: 600 }),
    workers: number(2, { max: 16 }),
  },
  measures: 'times',
  run: async ({ values: { guards: sizes, rate, seconds, workers } }, stack) => {
    const deployment = stack.use(
      await Deployment.start({ machines: [workers], leaseMs, answerMs: 1000, isDirect: true, guards: [] }),
    );
    for (const worker of await deployment.healthy()) await worker.close();
    const { url } = deployment.service;
    const pinned = await pinWorkers(url, workers, connectionsEach);
    stack.defer(async () => void (await Promise.all(pinned.map((worker) => worker.close()))));
    const place: Place = { deployment, workers: pinned, url, key: await deployment.addGuardKey() };
    const beside: Awaited<ReturnType<typeof besideGuards>>[] = [];
    for (const size of sizes) beside.push(await besideGuards(place, size, rate, seconds));
    const losses = [await afterLoss(place, 'SIGKILL'), await afterLoss(place, 'SIGSTOP')];
    const following = await followed(place);
    const [none, one] = [0, 1].map((size) => beside.find(({ guards }) => guards === size)?.answer.p50Ms);
    const addedMs = none === undefined || one === undefined ? 0 : one - none;
    return {
      figures: { rate, seconds, workers, beside, losses, following },
      table: [
        table(
          ['strict guards', 'sign-outs', 'p50 ms', 'p99 ms', 'max ms', '202', 'failed'],
          beside.map((row) => [row.guards, ...latencyCells(row.answer), row.pending, row.failed]),
        ),
        table(
          [
            'a guard gets',
            'sign-outs',
            'p50 ms',
            'p99 ms',
            'max ms',
            '202',
            'failed',
            'first 202 after ms',
            'last after ms',
          ],
          losses.map((row) => [
            row.signal,
            ...latencyCells(row.answer),
            row.pending,
            row.failed,
            row.firstPendingAfterMs,
            row.lastPendingAfterMs,
          ]),
        ),
        table(
          ['guards that follow', 'refusals', 'p50 ms after the answer', 'p99 ms', 'max ms', 'not refused'],
          [[following.guards, ...latencyCells(following.refusedAfterAnswer), following.unrefused]],
        ),
      ].join('\n'),
      missed: [
        ...(addedMs <= addedMsMax
          ? []
          : [`one strict guard adds ${round(addedMs)} ms to the p50, more than ${addedMsMax}`]),
        ...(following.unrefused === 0
          ? []
          : [`${following.unrefused} tokens were not refused by a guard that follows`]),
      ],
    };
  },
});
