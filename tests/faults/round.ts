/**
 * One round: sign in, watch every worker, sign out, strike, heal, and judge.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { goodPassword } from '../harness/client.ts';
import { randomFrom } from '../harness/seed.ts';
import type { Deployment } from './deployment.ts';
import { faults } from './faults.ts';
import { moments } from './moments.ts';
import type { PinnedWorker } from './pinned-worker.ts';
import { ask, judge, type Watched, Watcher } from './watcher.ts';

/** What a round has shown. */
export interface Round {
  readonly seed: number;
  /** Status of the sign-out; 0 when it was not answered. */
  readonly answer: number;
  readonly answerMs: number;
  readonly violations: readonly string[];
  readonly liveRefused: readonly string[];
  /** Tokens accepted after everything had healed, although a sign-out was acknowledged. */
  readonly forgotten: number;
  readonly crashes: number;
  readonly deadChecks: number;
  readonly counts: Readonly<Record<string, number>>;
}

const signIn = async (worker: PinnedWorker, email: string): Promise<Watched> => {
  const { status, body } = await worker.send('POST', '/auth/login', {
    body: { email, password: goodPassword, tenant: 'lab' },
  });
  if (status !== 200) throw new Error(`Cannot sign in: ${status} ${JSON.stringify(body)}`);
  return {
    token: String(body['access_token']),
    sessionId: String(body['session_id']),
    deadFromMs: Number.POSITIVE_INFINITY,
    isRevoked: false,
    asked: [],
  };
};

/** Signs out and remembers what was promised. Returns the status, 0 when no answer came. */
const signOut = async (worker: PinnedWorker, watched: Watched): Promise<number> => {
  watched.isRevoked = true;
  try {
    const { status, body } = await worker.send('POST', '/auth/logout', { token: watched.token });
    const pendingMs = status === 202 ? Number(body['complete_within_ms']) : 0;
    if (status === 200 || status === 202)
      watched.deadFromMs = Math.min(watched.deadFromMs, performance.now() + pendingMs);
    return status;
  } catch {
    return 0;
  }
};

const shuffled = <Item>(items: readonly Item[], random: () => number): Item[] =>
  items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);

/** Plays one round. */
export const playRound = async (
  deployment: Deployment,
  faultName: string,
  momentName: string,
  seed: number,
): Promise<Round> => {
  const fault = faults[faultName];
  const moment = moments[momentName];
  if (fault === undefined || moment === undefined) throw new Error(`There is no cell "${faultName}" × "${momentName}"`);
  const random = randomFrom(seed);
  const crashesBefore = deployment.crashes();
  const workers = await deployment.healthy();
  // A worker that is killed again as soon as it serves would be taken for one that dies of its start.
  if (deployment.expectedDeaths > 0) await delay(600);
  const [revoker, other, third] = shuffled(workers, random) as [PinnedWorker, PinnedWorker, PinnedWorker];
  const victim = await signIn(revoker, deployment.email(Math.floor(random() * 40)));
  const control = await signIn(other, deployment.email(Math.floor(random() * 40)));
  const watcher = new Watcher(workers, [victim, control]);
  await delay(20 + 60 * random());

  let answer = 0;
  let answerMs = 0;
  const extra: Promise<number>[] = [];
  const scene = {
    deployment,
    revoker,
    other,
    third,
    leaseMs: deployment.options.leaseMs,
    random,
    repeat: async () => {
      extra.push(signOut(third, victim));
    },
  };
  const send = async (): Promise<void> => {
    const sentMs = performance.now();
    answer = await signOut(revoker, victim);
    answerMs = performance.now() - sentMs;
  };
  const { undo } = await moment(scene, { sessionId: victim.sessionId, send }, () => fault(scene));
  await undo();
  await Promise.all(extra);

  const healed = await deployment.healthy();
  // Whoever got no promise asks again, as a client would.
  for (let attempt = 0; victim.deadFromMs === Number.POSITIVE_INFINITY && attempt < 20; attempt++) {
    await signOut(healed[attempt % healed.length] as PinnedWorker, victim);
    await delay(20);
  }
  await delay(Math.max(0, victim.deadFromMs - performance.now()) + 20);
  const before = victim.asked.length;
  for (const worker of healed) await Promise.all([ask(worker, victim), ask(worker, control)]);
  const forgotten = victim.asked.slice(before).filter(({ status }) => status === 200).length;
  await Promise.all([...workers, ...healed].map((worker) => worker.close()));
  await watcher.stop();
  const { violations, liveRefused, counts, deadChecks } = judge([victim, control]);
  return {
    seed,
    answer,
    answerMs,
    violations,
    liveRefused,
    forgotten,
    crashes: deployment.crashes() - crashesBefore,
    deadChecks,
    counts,
  };
};
