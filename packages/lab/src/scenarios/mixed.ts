/**
 * Scenario `mixed`: the users of an application on an ordinary day. Mostly calls, now and then a
 * refresh, a login, a logout.
 * @module
 */
import type { Scenario } from './scenario.ts';

/**
 * After a logout a user goes on with the dead tokens, for calls and refreshes alike, until its next
 * login: all of them must be refused.
 */
export const mixed: Scenario = {
  name: 'mixed',
  summary: 'mostly calls of a protected resource; refreshes, logins and logouts in between',
  tasks: {
    login: { weight: 10, act: (user) => user.login() },
    protected: { weight: 70, act: (user) => user.callProtected() },
    refresh: { weight: 15, act: (user) => user.refresh() },
    logout: { weight: 5, act: (user) => user.logout() },
  },
  waitSeconds: [1, 3],
  criteria: { p95MsMax: 500, endpointFailuresPercentMax: 1 },
  asksEveryWorker: false,
  asksGuards: true,
};
