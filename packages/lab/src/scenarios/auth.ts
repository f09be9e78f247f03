/**
 * Scenario `auth`: log in, call a protected resource, log out.
 * @module
 */
import type { Scenario } from './scenario.ts';

/** Its criteria are default targets, for up to 10,000 users. */
export const auth: Scenario = {
  name: 'auth',
  summary: 'log in, call a protected resource, log out',
  tasks: {
    login: { weight: 5, act: (user) => user.login() },
    protected: { weight: 10, act: (user) => user.callProtected() },
    logout: { weight: 1, act: (user) => user.logout() },
  },
  waitSeconds: [1, 3],
  criteria: { p50MsMax: 100, p95MsMax: 500, p99MsMax: 1000, realFailuresPercentMax: 1 },
  asksEveryWorker: false,
};
