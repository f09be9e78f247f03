/**
 * One operation alone, for the gate: a mix hides changes of an operation that it seldom sends.
 * @module
 */
import type { Scenario } from '../scenarios/scenario.ts';
import type { VirtualUser } from '../scenarios/virtual-user.ts';

/** A scenario as a gate loads it. */
export interface GateScenario extends Scenario {
  /**
   * Each task ends the session that it is given, so one is opened for each before the load begins.
   */
  readonly endsSession?: true;
}

const alone = (name: string, summary: string, act: (user: VirtualUser) => Promise<unknown>): GateScenario => ({
  name,
  summary,
  tasks: { [name]: { weight: 1, act } },
  waitSeconds: [0, 0],
  criteria: {},
  asksEveryWorker: false,
});

const all: readonly GateScenario[] = [
  alone('login', 'sign in with a password that the login cache knows', (user) => user.login()),
  alone('refresh', 'trade the refresh token', (user) => user.refresh()),
  { ...alone('logout', 'sign out a session that was opened before', (user) => user.logout()), endsSession: true },
];

/** The operations by name, in the order in which the help lists them. */
export const operations: ReadonlyMap<string, GateScenario> = new Map(all.map((scenario) => [scenario.name, scenario]));
