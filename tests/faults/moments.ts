/**
 * When a fault strikes. A moment that lasts microseconds is held open: the step that would end it is made to wait.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { signal } from '../../packages/lab/src/faults/process-tree.ts';
import type { Scene, Undo } from './faults.ts';
import type { PinnedWorker } from './pinned-worker.ts';

/** The sign-out that is under way. */
export interface SignOut {
  readonly sessionId: string;
  /** Sends it; resolves when it has been answered, or cannot be any more. */
  readonly send: () => Promise<void>;
}

/** Who plays in a moment besides the scene. */
export interface Cast extends Scene {
  /** A third worker, which only keeps the barrier waiting. */
  readonly third: PinnedWorker;
}

/** Strikes at the right time. Returns once the sign-out has been answered. */
export type Moment = (cast: Cast, signOut: SignOut, strike: () => Promise<Undo>) => Promise<{ readonly undo: Undo }>;

/** Longest time that a held step waits for the one before it; some faults keep it from coming at all. */
const holdMsMax = 700;

const until = async (isSo: () => Promise<boolean>): Promise<void> => {
  for (const end = performance.now() + holdMsMax; performance.now() < end; await delay(5))
    if (await isSo().catch(() => false)) return;
};

/** The answer, once whatever the fault does has been taken away: a sign-out at a dead database waits for its deadline. */
const answered = async (sending: Promise<void>, undo: Undo): Promise<{ readonly undo: Undo }> => {
  const undoing = undo();
  await sending;
  await undoing;
  return { undo: async () => {} };
};

const isCommitted =
  ({ deployment }: Cast, { sessionId }: SignOut) =>
  async (): Promise<boolean> =>
    (await deployment.query('select 1 from journal where key = $1', sessionId)).length > 0;

const beforeCommit: Moment = async (cast, signOut, strike) => {
  const { deployment } = cast;
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

const betweenCommitAndHint: Moment = async (cast, signOut, strike) => {
  const supervisor = cast.deployment.service.process.pid ?? 0;
  signal(supervisor, 'SIGSTOP');
  const sending = signOut.send();
  await until(isCommitted(cast, signOut));
  const undo = await strike();
  signal(supervisor, 'SIGCONT');
  return answered(sending, undo);
};

const beforeAcknowledgement: Moment = async (cast, signOut, strike) => {
  signal(cast.third.pid, 'SIGSTOP');
  const sending = signOut.send();
  await until(isCommitted(cast, signOut));
  const undo = await strike();
  const undoing = undo();
  await delay(100 + cast.leaseMs * cast.random());
  signal(cast.third.pid, 'SIGCONT');
  await sending;
  await undoing;
  return { undo: async () => {} };
};

const afterAnswer: Moment = async (_cast, signOut, strike) => {
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
