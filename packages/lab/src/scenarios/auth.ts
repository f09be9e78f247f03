/**
 * Scenario `auth`: log in, call a protected resource, log out, as the report of 3 October 2025 did.
 * @module
 */
import type { Scenario } from './scenario.ts';

/** Weights, waits and targets at 10,000 users of the report of 3 October 2025. */
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
