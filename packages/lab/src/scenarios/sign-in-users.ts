/**
 * A few users that have signed in, one connection each, for measurements outside a run.
 * @module
 */
import { ConsistencyChecker } from '../measures/consistency.ts';
import { Recorder } from '../measures/recorder.ts';
import { prepareAccounts } from '../targets/accounts.ts';
import { findAdminKey } from '../targets/admin-key.ts';
import { Connection, type ConnectionLimits } from '../targets/connection.ts';
import { Lanes } from '../targets/lanes.ts';
import { VirtualUser } from './virtual-user.ts';

/** Whom to sign in, and where. */
export interface SignInOptions {
  readonly target: string;
  readonly adminKeyFile: string | undefined;
  readonly users: number;
  /** Makes their emails differ from those of earlier accounts. */
  readonly runTag: string;
  readonly limits: ConnectionLimits;
}

/** Users that have signed in. */
export interface SignedIn {
  readonly users: readonly VirtualUser[];
  /** Measures of their exchanges; the recorder may be replaced at any time. */
  readonly measures: { recorder: Recorder; readonly checker: ConsistencyChecker; readonly nowMs: () => number };
  /**
   * Opens a further session of a user, on its connection.
   * @throws {Error} when the target refuses it
   */
  readonly openSession: (index: number) => Promise<VirtualUser>;
  /** Ends their connections. */
  readonly close: () => void;
}

const password = 'a comparison is not a secret';
/** Users that sign in at the same time: a small machine hashes as many without refusing one. */
const signInAtOnce = 4;

/** Makes accounts and signs all users in. @throws {Error} a sentence, when that cannot be done */
export const signInUsers = async ({
  target,
  adminKeyFile,
  users: count,
  runTag,
  limits,
}: SignInOptions): Promise<SignedIn> => {
  const connection = new Connection(target, limits);
  const key = findAdminKey(target, { key: undefined, file: adminKeyFile });
  const accounts = await prepareAccounts(
    connection,
    { key, tenant: 'lab', users: count, password, runTag },
    () => {},
  ).finally(() => connection.destroy());
  const measures = { recorder: new Recorder(), checker: new ConsistencyChecker(), nowMs: () => performance.now() };
  const connections: Lanes[] = [];
  const users = Array.from({ length: count }, (_, index) => {
    const lane = new Lanes(target, limits, 1);
    connections.push(lane);
    const credentials = accounts.credentialsOf(index);
    return new VirtualUser({ connection: lane, credentials, hasAccount: accounts.kind === 'imported', measures });
  });
  const openSession = async (index: number): Promise<VirtualUser> => {
    const connection = connections[index] as Lanes;
    const user = new VirtualUser({
      connection,
      credentials: accounts.credentialsOf(index),
      hasAccount: true,
      measures,
    });
    await user.login();
    if (user.token === undefined) throw new Error(`user ${index + 1} could not sign in again`);
    return user;
  };
  const close = (): void => {
    for (const lane of connections) void lane.destroy();
  };
  for (let from = 0; from < count; from += signInAtOnce)
    await Promise.all(users.slice(from, from + signInAtOnce).map((user) => user.enter()));
  const missing = users.filter(({ token }) => token === undefined).length;
  if (missing === 0) return { users, measures, openSession, close };
  close();
  throw new Error(`${missing} of ${count} users could not sign in`);
};
