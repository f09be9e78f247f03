/**
 * The open model of logouts: sessions are signed in beforehand, and each logout is sent at its own
 * time.
 * @module
 */
import { startArrivals } from '../arrivals/open-arrivals.ts';
import { limitsOf } from '../options/run-options.ts';
import { VirtualUser } from '../scenarios/virtual-user.ts';
import { Lanes } from '../targets/lanes.ts';
import type { LoadModel } from './load-model.ts';
import { intendedTimes } from './load-plan.ts';
import { signIn } from './sign-in.ts';

/** Signs the sessions in; a session that cannot be signed in is a logout that never comes. */
export const pacedLogouts: LoadModel = async ({ options, accounts, players, say, interrupted }) => {
  const { measures, transport } = players;
  const timesMs = intendedTimes(options);
  const sessions = await signIn(options, timesMs.length, accounts, measures.checker, say, interrupted);
  const lanes = new Lanes(options.target, limitsOf(options), options.users, { transport });
  return {
    connections: [lanes],
    start: (startMs) =>
      startArrivals({
        timesMs,
        available: sessions.length,
        startMs,
        act: async (index, intendedAtMs) => {
          const token = sessions[index];
          if (token === undefined) return;
          const credentials = accounts.credentialsOf(index % options.users);
          const { guards } = players;
          const user = new VirtualUser({ connection: lanes, credentials, hasAccount: true, measures, token, guards });
          // The session that is signed out in a second is a live one.
          const later = sessions[index + Math.ceil(options.logoutsPerSecond ?? 1)];
          const askingLive = later && guards?.askAll(later);
          await players.witnesses?.signOut(user, intendedAtMs);
          await askingLive;
          measures.checker.release(token.serial);
        },
      }),
  };
};
