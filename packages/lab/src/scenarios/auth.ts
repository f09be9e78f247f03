/**
 * Scenario `auth`: log in, call a protected resource, log out, as the report of 3 October 2025 did.
 * @module
 */
import type { Behaviour } from '../arrivals/schedule.ts';
import type { Criteria } from '../measures/criteria.ts';
import type { VirtualUser } from './virtual-user.ts';

/** What a user does after its first login. */
export type AuthTask = 'login' | 'protected' | 'logout';

/** Weights and waits of the report of 3 October 2025. */
export const authBehaviour: Behaviour<AuthTask> = {
  weights: { login: 5, protected: 10, logout: 1 },
  waitMs: [1000, 3000],
};

/** That report's targets at 10,000 users. */
export const authCriteria: Criteria = { p50MsMax: 100, p95MsMax: 500, p99MsMax: 1000, realFailuresPercentMax: 1 };

/**
 * Does one task. A user without a token (its registration or its login failed) tries that again instead: there is nothing else it could do.
 */
export const actAuth = async (user: VirtualUser, task: AuthTask): Promise<void> => {
  if (!user.holdsToken) await user.enter();
  else if (task === 'login') await user.login();
  else if (task === 'protected') await user.callProtected();
  else await user.logout();
};
