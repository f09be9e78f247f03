/**
 * Scenario `verify`: sign in once, then check the token in a loop: the cost of the users of a
 * resource server.
 * @module
 */
import type { Scenario } from './scenario.ts';
import type { VirtualUser } from './virtual-user.ts';

/** A token this close to its end is replaced first, milliseconds: its refusal would say nothing. */
const agedMs = 5000;

const verifyToken = (user: VirtualUser): Promise<unknown> => {
  const endsMs = user.token?.expiresAtMs ?? 0;
  return endsMs - performance.now() < agedMs ? user.login() : user.verify();
};

/** Its criteria are default targets, for up to 10,000 users. */
export const verify: Scenario = {
  name: 'verify',
  summary: 'log in once, then verify the token',
  tasks: { verify: { weight: 1, act: verifyToken } },
  waitSeconds: [0.5, 1.5],
  criteria: { p50MsMax: 50, p95MsMax: 200, p99MsMax: 500, realFailuresPercentMax: 0.1 },
  asksEveryWorker: false,
};
