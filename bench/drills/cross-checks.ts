/**
 * Checks between machines, all the time: sign-in on one, check and refresh on another, sign-out on the first, and no machine may accept the
 * token from then on.
 * @module
 */
import { get, logOut, refresh, tokensOf } from '../../tests/harness/client.ts';
import { signInPatiently } from '../../tests/harness/crowd.ts';
import { largest, median, round } from '../harness/figures.ts';

/** A machine that serves. */
export interface Machine {
  readonly url: string;
  /** Its version. */
  readonly version: 'old' | 'new';
}

/** The results of the checks between machines. */
export interface CrossChecks {
  readonly signOuts: number;
  /** Answered with 202. */
  readonly pending: number;
  readonly deadChecks: number;
  /** Dead tokens that were accepted. */
  readonly violations: number;
  /** Live tokens that were refused, and answers that were neither. */
  readonly failures: readonly string[];
  /** Rounds that ended early because a connection was cut: a worker that is killed cuts those that it serves. */
  readonly cuts: number;
  /** Milliseconds until a sign-out was answered, by the version that answered. */
  readonly signOutMs: Readonly<Record<Machine['version'], { readonly p50: number; readonly max: number }>>;
}

/** Times that a dead token is shown to each machine: its workers take turns. */
const shownTimes = 3;

/** Whether `fetch` failed because the other side ended the connection; one that no process listens for is refused instead. */
const isCut = (error: unknown): boolean =>
  error instanceof TypeError &&
  ['ECONNRESET', 'UND_ERR_SOCKET', 'EPIPE'].includes(
    (error.cause as { readonly code?: string } | undefined)?.code ?? '',
  );

/** Starts the checks. @param email of the account that is signed in and out @returns how to stop them, which gives the results */
export const crossCheck = (email: string, machines: readonly Machine[]): (() => Promise<CrossChecks>) => {
  let isOver = false;
  let [pending, deadChecks, violations, cuts] = [0, 0, 0, 0];
  const failures: string[] = [];
  const times: Record<Machine['version'], number[]> = { old: [], new: [] };

  const follow = async (number: number): Promise<void> => {
    const at = (offset: number): Machine => machines[(number + offset) % machines.length] as Machine;
    // Another order in each round, so that each machine follows each other.
    const [first, second] = [at(0), at(1 + (Math.floor(number / machines.length) % (machines.length - 1)))];
    const expect = (what: string, status: number, text: string): void => {
      if (status !== 200) failures.push(`${first.version} to ${second.version}: ${what}: ${status} ${text}`);
    };
    const tokens = await signInPatiently(first.url, email);
    const checked = await get(`${second.url}/auth/verify`, tokens.access);
    expect('a live token', checked.status, checked.text);
    const refreshed = await refresh(second.url, tokens.refresh);
    expect('a live refresh token', refreshed.status, refreshed.text);
    if (refreshed.status !== 200) return;
    const { access } = tokensOf(refreshed);
    const beganMs = performance.now();
    const answer = await logOut(first.url, access);
    times[first.version].push(performance.now() - beganMs);
    if (answer.status === 202) {
      pending++;
      return;
    }
    expect('a sign-out', answer.status, answer.text);
    const dead = [tokens.access, access];
    for (let time = 0; time < shownTimes; time++)
      await Promise.all(
        machines.flatMap(({ url }) =>
          dead.map(async (token) => {
            deadChecks++;
            if ((await get(`${url}/auth/verify`, token)).status === 200) violations++;
          }),
        ),
      );
    if ((await refresh(second.url, tokensOf(refreshed).refresh)).status === 200) violations++;
  };

  const loop = (async () => {
    for (let number = 0; !isOver; number++)
      await follow(number).catch((error: unknown) => {
        if (isCut(error)) cuts++;
        else failures.push(String(error));
      });
  })();
  const timesOf = (version: Machine['version']) => ({
    p50: round(median(times[version])),
    max: round(largest(times[version])),
  });
  return async () => {
    isOver = true;
    await loop;
    return {
      signOuts: times.old.length + times.new.length,
      pending,
      deadChecks,
      violations,
      failures,
      cuts,
      signOutMs: { old: timesOf('old'), new: timesOf('new') },
    };
  };
};
