/**
 * Is anything lost that was answered when the service is killed (`kill -9`) under load, and how long until the next process serves?
 * @module
 */
import { AssertionError } from 'node:assert';
import { randomFrom, seed } from '../tests/harness/seed.ts';
import { type KillRound, startKillDrill } from '../tests/system/kill-round.ts';
import { runBench } from './harness/bench.ts';
import { largest, median, round, table } from './harness/figures.ts';
import { number } from './harness/options.ts';
import { say } from './harness/result.ts';

const help = `Kills the embedded service (kill -9) at random moments while clients sign in, read, refresh, sign out and register, starts it again on the
same data folder, and checks that everything that was answered holds.

  npm run bench -- kill-rounds [--rounds 100] [--sessions-max 2000] [--out FILE]
  SEED=123 npm run bench -- kill-rounds       the kills of an earlier run, at the same moments

Per round: 400 sessions are opened; every 5 ms one signs out and one reads, every 20 ms one signs in and one refreshes, every 150 ms one
registers; the kill comes 0.3 to 1.3 s later. Then: the database is whole (as the crash left it, and again in use), the first request of the
next process refuses a token signed out before the kill, every acknowledged sign-out is refused (access and refresh token), every live refresh
token yields its one successor, every acknowledged registration signs in, and each request without an answer has happened whole or not
at all. The first loss ends the drill with exit code 2 and is printed with its seed. About 5 s a round, more as each round checks the
sign-outs of all rounds: a new data folder begins after --sessions-max of them.

Aim: nothing lost, and the first request served within a second of the start of the next process.
`;

const startMsAim = 1000;

interface Drilled {
  readonly done: readonly KillRound[];
  /** Losses, as sentences. */
  readonly lost: readonly string[];
}

const drillRounds = async (rounds: number, sessionsMax: number): Promise<Drilled> => {
  const random = randomFrom(seed);
  const done: KillRound[] = [];
  const lost: string[] = [];
  let drill = await startKillDrill();
  let signedOut = 0;
  try {
    while (done.length < rounds && lost.length === 0) {
      if (signedOut > sessionsMax) {
        await drill[Symbol.asyncDispose]();
        drill = await startKillDrill();
        signedOut = 0;
      }
      try {
        const one = await drill.round(random());
        done.push(one);
        signedOut += one.signOutsAcknowledged;
        const { killedAfterMs, signOutsAcknowledged, sessionsAlive, firstAnswerMs } = one;
        say(
          `Round ${done.length} of ${rounds}: killed after ${killedAfterMs} ms, ${signOutsAcknowledged} sign-outs acknowledged, 0 lost, ` +
            `${sessionsAlive} sessions alive, first request served ${firstAnswerMs.toFixed(0)} ms after the start`,
        );
      } catch (error) {
        if (!(error instanceof AssertionError)) throw error;
        lost.push(`round ${done.length + 1}, SEED=${seed}: ${error.message}`);
      }
    }
  } finally {
    await drill[Symbol.asyncDispose]();
  }
  return { done, lost };
};

await runBench({
  help,
  options: { rounds: number(100, { max: 10_000 }), 'sessions-max': number(2000, { max: 1_000_000 }) },
  measures: 'times',
  run: async ({ values: { rounds, 'sessions-max': sessionsMax } }) => {
    say(`SEED=${seed}`);
    const { done, lost } = await drillRounds(rounds, sessionsMax);
    const starts = done.map(({ firstAnswerMs }) => firstAnswerMs);
    const sum = (figure: 'signOutsAcknowledged' | 'registrationsAcknowledged'): number =>
      done.reduce((total, one) => total + one[figure], 0);
    const result = {
      rounds: done.length,
      signOutsAcknowledged: sum('signOutsAcknowledged'),
      registrationsAcknowledged: sum('registrationsAcknowledged'),
      lost: lost.length,
      firstAnswerMsP50: round(median(starts), 0),
      firstAnswerMsMax: round(largest(starts), 0),
    };
    const slowest = `the slowest start took ${result.firstAnswerMsMax} ms, aim < ${startMsAim}`;
    return {
      figures: { ...result, each: done },
      table: table(
        ['rounds', 'sign-outs', 'registrations', 'lost', 'first answer p50 ms', 'max ms'],
        [Object.values(result)],
      ),
      missed: [...lost, ...(result.firstAnswerMsMax <= startMsAim ? [] : [slowest])],
    };
  },
});
