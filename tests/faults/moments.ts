/**
 * The moments at which faults strike. To hold a moment open that lasts microseconds, the step that would end it is delayed.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { signal } from '@catalytic/lab/process-tree';
import type { Scene, Strike, Undo } from './fault.ts';

/** The sign-out that is under way. */
export interface SignOut {
  readonly sessionId: string;
  /** Sends the sign-out; resolves when it has been answered, or no answer can come any more. */
  readonly send: () => Promise<void>;
}

/** Injects the fault at the right time. Returns once the sign-out has been answered. */
export type Moment = (scene: Scene, signOut: SignOut, strike: Strike) => Promise<{ readonly undo: Undo }>;

/** Longest time that a held step waits for the one before it; some faults keep it from coming at all. */
const holdMsMax = 700;

const until = async (isSo: () => Promise<boolean>): Promise<void> => {
  for (const end = performance.now() + holdMsMax; performance.now() < end; await delay(5))
    if (await isSo().catch(() => false)) return;
};

/** Waits for the answer after the fault was undone: a sign-out at a dead database waits for its deadline. */
const answered = async (sending: Promise<void>, undo: Undo): Promise<{ readonly undo: Undo }> => {
  const undoing = undo();
  await sending;
  await undoing;
  return { undo: async () => {} };
};

const isCommitted =
  ({ deployment }: Scene, { sessionId }: SignOut) =>
  async (): Promise<boolean> =>
    (await deployment.query('select 1 from journal where key = $1', sessionId)).length > 0;

const beforeCommit: Moment = async ({ deployment }, signOut, strike) => {
  const lock = await deployment.connect();
  await lock.query('begin');
  await lock.query('lock table journal in share mode');
  const sending = signOut.send();
  await until(
    async () =>
      (await deployment.query("select 1 from pg_locks where relation = 'journal'::regclass and not granted")).length >
      0,
  );
  const undo = await strike();
  // A connection that the fault has ended holds no lock any more.
  await Promise.race([lock.query('commit').catch(() => {}), delay(50)]);
  lock.end().catch(() => {});
  return answered(sending, undo);
};

const betweenCommitAndHint: Moment = async (scene, signOut, strike) => {
  const { deployment } = scene;
  const supervisors = deployment.machines.map(({ supervisor }) => supervisor);
  for (const pid of supervisors) signal(pid, 'SIGSTOP');
  const letRedisGo = deployment.holdRedis();
  const sending = signOut.send();
  await until(isCommitted(scene, signOut));
  const undo = await strike();
  letRedisGo();
  for (const pid of supervisors) signal(pid, 'SIGCONT');
  return answered(sending, undo);
};

const beforeAcknowledgement: Moment = async (scene, signOut, strike) => {
  signal(scene.third.pid, 'SIGSTOP');
  const sending = signOut.send();
  await until(isCommitted(scene, signOut));
  const undo = await strike();
  const undoing = undo();
  await delay(100 + scene.leaseMs * scene.random());
  signal(scene.third.pid, 'SIGCONT');
  await sending;
  await undoing;
  return { undo: async () => {} };
};

const afterAnswer: Moment = async (_scene, signOut, strike) => {
  await signOut.send();
  return { undo: await strike() };
};

/** Every moment, by name. */
export const moments: Readonly<Record<string, Moment>> = {
  'before the commit': beforeCommit,
  'between commit and hint': betweenCommitAndHint,
  'before the acknowledgement': beforeAcknowledgement,
  'after the answer': afterAnswer,
};

/** Whether the third worker is frozen at this moment, whatever the fault. */
export const freezesThird = (moment: string): boolean => moments[moment] === beforeAcknowledgement;
