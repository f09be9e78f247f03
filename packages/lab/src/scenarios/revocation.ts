/**
 * Scenario `revocation`: sign in, see that the token works, sign out, and ask every worker at once
 * whether the token is dead.
 * @module
 */
import type { Scenario } from './scenario.ts';
import type { VirtualUser } from './virtual-user.ts';
import type { Witnesses } from './witnesses.ts';

/**
 * One round of a user. A session that was not signed out, because the logout before it failed, is
 * let go by the login.
 */
const round = async (user: VirtualUser, witnesses: Witnesses | undefined): Promise<void> => {
  if (user.token?.revokeSentAtMs !== undefined) await user.login();
  if (user.token?.revokeSentAtMs !== undefined) return;
  await user.callProtected();
  await witnesses?.signOut(user);
};

/** Its criteria are default targets: dead within 100 ms, everywhere. */
export const revocation: Scenario = {
  name: 'revocation',
  summary: 'log in, call, log out, then try the dead token on every worker at once',
  tasks: { round: { weight: 1, act: round } },
  waitSeconds: [1, 3],
  criteria: { realFailuresPercentMax: 1, rejectedMsMax: 100 },
  asksEveryWorker: true,
  asksGuards: true,
};
