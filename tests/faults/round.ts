/**
 * One round: sign in, watch every worker, sign out, strike, heal, and judge.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { goodPassword } from '../harness/client.ts';
import { randomFrom } from '../harness/seed.ts';
import { type Deployment, untilServed } from './deployment.ts';
import type { Fault, Scene, Strike } from './fault.ts';
import { faults } from './faults.ts';
import { freezesThird, moments } from './moments.ts';
import type { PinnedWorker } from './pinned-worker.ts';
import { Recovery } from './recovery.ts';
import { Traffic } from './traffic.ts';
import { ask, forgottenSince, judge, type Watched, Watcher } from './watcher.ts';

/** The result of a round. */
export interface Round {
  readonly seed: number;
  /** Status of the sign-out; 0 when it was not answered. */
  readonly answer: number;
  readonly answerMs: number;
  readonly violations: readonly string[];
  readonly liveRefused: readonly string[];
  /** Tokens that were accepted after the fault was undone, although their sign-out was acknowledged. */
  readonly forgotten: number;
  readonly crashes: number;
  readonly deadChecks: number;
  /** Those of them at guarded APIs. */
  readonly guardDeadChecks: number;
  readonly counts: Readonly<Record<string, number>>;
  /** Requests to bystanders while the fault lasted. */
  readonly requests: number;
  /** Those of them with a wrong answer, each as a line. */
  readonly failed: readonly string[];
  /** From the end of the fault until a sign-out was as fast as before; `undefined` when it never was, or was not measured. */
  readonly logoutBackMs: number | undefined;
  /** From the end of the fault until every worker served and was current again. */
  readonly readyMs: number;
  /** Departures from what the fault expects, each as a line. */
  readonly unexpected: readonly string[];
}

const signIn = async (worker: PinnedWorker, email: string): Promise<Watched> => {
  const { status, body } = await untilServed(() =>
    worker.send('POST', '/auth/login', { body: { email, password: goodPassword, tenant: 'lab' } }),
  );
  if (status !== 200) throw new Error(`Cannot sign in: ${status} ${JSON.stringify(body)}`);
  return {
    token: String(body['access_token']),
    sessionId: String(body['session_id']),
    deadFromMs: Number.POSITIVE_INFINITY,
    revokedAtMs: Number.POSITIVE_INFINITY,
    isRevoked: false,
    asked: [],
  };
};

/** Signs out and records the promise of the answer. Returns the status; 0: no answer came. */
const signOut = async (worker: PinnedWorker, watched: Watched): Promise<number> => {
  watched.isRevoked = true;
  try {
    const { status, body } = await worker.send('POST', '/auth/logout', { token: watched.token });
    const nowMs = performance.now();
    const pendingMs = status === 202 ? Number(body['complete_within_ms']) : 0;
    if (status === 200 || status === 202) {
      watched.revokedAtMs = Math.min(watched.revokedAtMs, nowMs);
      watched.deadFromMs = Math.min(watched.deadFromMs, nowMs + pendingMs);
    }
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

/** Chooses the workers of a round. */
const cast = (
  workers: readonly PinnedWorker[],
  { isAcross = false }: Fault,
  random: () => number,
): readonly [PinnedWorker, PinnedWorker, PinnedWorker] => {
  const [revoker, ...others] = shuffled(workers, random);
  const apart = others.find(({ machine }) => machine !== revoker?.machine);
  const [other, third] = isAcross && apart !== undefined ? [apart, ...others.filter((one) => one !== apart)] : others;
  if (revoker === undefined || other === undefined || third === undefined)
    throw new Error(`A round needs three workers, not ${workers.length}`);
  return [revoker, other, third];
};

/** Repeats a sign-out that was answered without a promise, as a client would. */
const signOutAtLast = async (workers: readonly PinnedWorker[], victim: Watched): Promise<void> => {
  for (let attempt = 0; victim.deadFromMs === Number.POSITIVE_INFINITY && attempt < 20; attempt++) {
    await signOut(workers[attempt % workers.length] as PinnedWorker, victim);
    await delay(20);
  }
  await delay(Math.max(0, victim.deadFromMs - performance.now()) + 20);
};

/** Runs one round. */
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
  const anyEmail = (): string => deployment.email(Math.floor(random() * 40));
  const crashesBefore = deployment.crashes();
  const workers = await deployment.healthy();
  // The supervisor would take a worker that is killed again as soon as it serves for one whose start fails.
  if (deployment.expectedDeaths > 0) await delay(600);
  const [revoker, other, third] = cast(workers, fault, random);
  const victim = await signIn(revoker, anyEmail());
  const control = await signIn(other, anyEmail());

  let answer = 0;
  let answerMs = 0;
  const extra: Promise<number>[] = [];
  const watched: PinnedWorker[] = [];
  const questions: Promise<void>[] = [];
  let watcher: Watcher | undefined;
  const unexpected: string[] = [];
  const printedBefore = deployment.machines.map((machine) => machine.output().length);
  const scene: Scene = {
    deployment,
    revoker,
    other,
    third,
    leaseMs: deployment.options.leaseMs,
    random,
    controlSessionId: control.sessionId,
    repeat: async (to = third) => {
      extra.push(signOut(to, victim));
    },
    watch: (worker) => {
      watched.push(worker);
      watcher?.add(worker);
    },
    ask: (worker) => {
      questions.push(ask(worker, victim));
    },
    accepts: async (worker) =>
      (await worker.send('GET', '/auth/verify', { token: control.token }).catch(() => undefined))?.status === 200,
    expect: (isSo, what) => {
      if (!isSo) unexpected.push(what);
    },
  };
  const strike = await fault.prepare(scene);
  const recovery = deployment.options.redis === true ? await Recovery.prepare(revoker, anyEmail()) : undefined;
  const bystanders = (fault.bystanders?.(scene) ?? []).filter(
    (worker) => worker !== third || !freezesThird(momentName),
  );
  // Stopped also when the round breaks off: they would go on asking workers that have ended.
  await using watching = new Watcher([...workers, ...watched, ...deployment.guards], [victim, control]);
  watcher = watching;
  await using traffic = new Traffic(bystanders, (index) => deployment.email(index));
  await delay(20 + 60 * random());

  const send = async (): Promise<void> => {
    const sentMs = performance.now();
    answer = await signOut(scene.revoker, victim);
    answerMs = performance.now() - sentMs;
  };
  const struckMs = performance.now();
  let recovered: Promise<number | undefined> | undefined;
  const strikeAndRecover: Strike = async () => {
    const undo = await strike();
    return async () => {
      await undo();
      // A frozen third worker has to be woken as well.
      if (!freezesThird(momentName)) recovered = recovery?.measure(performance.now());
    };
  };
  const { undo } = await moment(scene, { sessionId: victim.sessionId, send }, strikeAndRecover);
  await undo();
  const healedMs = performance.now();
  const logoutBackMs = await (recovered ?? recovery?.measure(healedMs));
  await Promise.all(extra);

  const healed = await deployment.healthy();
  const readyMs = performance.now() - healedMs;
  await signOutAtLast(healed, victim);
  const before = victim.asked.length;
  for (const respondent of [...healed, ...deployment.guards])
    await Promise.all([ask(respondent, victim), ask(respondent, control)]);
  const forgotten = forgottenSince(victim, before);
  const { requests, failed } = traffic.judge(bystanders, [victim, control], struckMs, healedMs);
  await Promise.all([...workers, ...watched, ...healed].map((worker) => worker.close()));
  await Promise.all([watching.stop(), traffic.stop(), ...questions]);
  const { violations, liveRefused, counts, deadChecks, guardDeadChecks } = judge([victim, control], fault.mayRefuse);
  const printed = deployment.machines.map((machine, index) => machine.output().slice(printedBefore[index])).join('\n');
  scene.expect(fault.answers?.includes(answer) !== false, `the sign-out was answered ${answer}`);
  if (fault.readyMsMax !== undefined)
    scene.expect(readyMs <= fault.readyMsMax, `not every worker served ${fault.readyMsMax} ms after the fault`);
  scene.expect(fault.says?.test(printed) !== false, `the log does not say ${fault.says}`);
  return {
    seed,
    answer,
    answerMs,
    violations,
    liveRefused,
    forgotten,
    crashes: deployment.crashes() - crashesBefore,
    deadChecks,
    guardDeadChecks,
    counts,
    requests,
    failed,
    logoutBackMs,
    readyMs,
    unexpected,
  };
};
