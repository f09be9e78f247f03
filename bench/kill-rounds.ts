/**
 * `kill -9` of the embedded service, again and again, under load: `node bench/kill-rounds.ts --help`.
 * @module
 */
import { AssertionError } from 'node:assert';
import { parseArgs } from 'node:util';
import { randomFrom, seed } from '../tests/harness/seed.ts';
import { type KillRound, startKillDrill } from '../tests/system/kill-round.ts';
import { watchStrangers } from './cpu.ts';
import { percentile, round, table } from './figures.ts';
import { finish, numberOption, say, takeTurn } from './setting.ts';

const help = `Kills the embedded service (kill -9) at random moments while people sign in, read, refresh, sign out and register, starts it again on the
same data folder, and looks whether everything that was answered holds.

  node bench/kill-rounds.ts [--rounds 100] [--sessions-max 2000] [--out FILE]
  SEED=123 node bench/kill-rounds.ts          the kills of an earlier run, at the same moments

Per round: 400 sessions are opened; every 5 ms one signs out and one reads, every 20 ms one signs in and one refreshes, every 150 ms one
registers; the kill comes 0.3 to 1.3 s later. Then: the database is whole (as the crash left it, and again in use), the first request of the
next process refuses a token signed out before the kill, every acknowledged sign-out is refused (access and refresh token), every refresh
token that is alive yields its one successor, every acknowledged registration signs in, and what was not answered has happened whole or not
at all. The first thing lost ends the drill with exit code 2 and is printed with its seed. About 5 s a round, more as the sign-outs of all
rounds are looked at in each: a new data folder is begun when --sessions-max of them are there.

Aim: nothing lost, and the first request served within a second of the start of the next process.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    rounds: { type: 'string', default: '100' },
    'sessions-max': { type: 'string', default: '2000' },
    out: { type: 'string' },
  },
});

const startMsAim = 1000;

const main = async (): Promise<void> => {
  const rounds = numberOption('rounds', values.rounds, { max: 10_000 });
  const sessionsMax = numberOption('sessions-max', values['sessions-max'], { max: 1_000_000 });
  takeTurn();
  const random = randomFrom(seed);
  say(`SEED=${seed}`);
  const look = watchStrangers();
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
  const starts = done.map(({ firstAnswerMs }) => firstAnswerMs);
  const sum = (figure: 'signOutsAcknowledged' | 'registrationsAcknowledged'): number =>
    done.reduce((total, one) => total + one[figure], 0);
  const result = {
    rounds: done.length,
    sign_outs_acknowledged: sum('signOutsAcknowledged'),
    registrations_acknowledged: sum('registrationsAcknowledged'),
    lost: lost.length,
    first_answer_ms_p50: round(percentile(starts, 0.5), 0),
    first_answer_ms_max: round(percentile(starts, 1), 0),
  };
  finish({
    out: values.out,
    figures: { seed, ...result, each: done },
    table: table(
      ['rounds', 'sign-outs', 'registrations', 'lost', 'first answer p50 ms', 'max ms'],
      [Object.values(result)],
    ),
    conditions: look(),
    missed: [
      ...lost,
      ...(result.first_answer_ms_max <= startMsAim
        ? []
        : [`the slowest start took ${result.first_answer_ms_max} ms, aim < ${startMsAim}`]),
    ],
  });
};

if (values.help) process.stdout.write(help);
else await main();
