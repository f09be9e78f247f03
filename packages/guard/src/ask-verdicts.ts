/**
 * Mode `ask`: the service reaches the verdicts, one request for each.
 * @module
 */
import type { AccessTokenClaims } from '@catalytic/protocol/claims';
import { type AskParts, ask } from './ask.ts';
import type { Reporter } from './reporter.ts';
import type { Accepted, Verdicts } from './verdicts.ts';

/** A timer counts at most this many milliseconds. */
const timerMsMax = 2 ** 31 - 1;

/** A token that the service has accepted. Nothing tells this process of its end, except its expiry. */
export const acceptedByService = (claims: AccessTokenClaims): Accepted => ({
  claims,
  signal: () => AbortSignal.timeout(Math.min(timerMsMax, Math.max(0, claims.exp * 1000 - Date.now()))),
});

/** Asks for each verdict. */
export const askVerdicts = (parts: Omit<AskParts, 'onProblem'>, reporter: Reporter): Verdicts => {
  let isStopped = false;
  const onProblem = (reason: string): void => reporter.report(reason);
  return {
    // Without a request nothing is known of any token.
    now: () => 'verdict_unavailable',
    of: async (token) => {
      if (isStopped) return 'verdict_unavailable';
      const claims = await ask({ ...parts, onProblem }, token);
      // It may have been stopped while the service was asked.
      if (isStopped || claims === 'verdict_unavailable') return 'verdict_unavailable';
      reporter.clear();
      return typeof claims === 'string' ? claims : acceptedByService(claims);
    },
    get knowledge() {
      const current = !isStopped && reporter.problem === undefined;
      return { current, staleMs: 0, remainingMs: 0, entries: 0, registered: false };
    },
    stop: async () => {
      isStopped = true;
    },
  };
};
