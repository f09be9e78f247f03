/**
 * The type of a scenario: the tasks of users, their proportions, and the limits that the target
 * must keep meanwhile.
 * @module
 */
import type { Criteria } from '../measures/criteria.ts';
import type { DefinedScenario } from './define-scenario.ts';
import type { VirtualUser } from './virtual-user.ts';
import type { Witnesses } from './witnesses.ts';

/** One thing a user does, by weight. */
export interface ScenarioTask {
  readonly weight: number;
  /** Acts. `witnesses` are there when the scenario asks every worker. */
  readonly act: (user: VirtualUser, witnesses: Witnesses | undefined) => Promise<unknown>;
  /** Tags that select it, besides its name. */
  readonly tags?: readonly string[];
}

/** A scenario. A file each in this folder, and a line each in `registry.ts`. */
export interface Scenario {
  readonly name: string;
  /** For the help: one line. */
  readonly summary: string;
  readonly tasks: Readonly<Record<string, ScenarioTask>>;
  /** Shortest and longest wait between two tasks. */
  readonly waitSeconds: readonly [number, number];
  readonly criteria: Criteria;
  /** Whether tokens are tried on every worker of the target. */
  readonly asksEveryWorker: boolean;
  /** Whether tokens may be tried at guarded APIs, too. */
  readonly asksGuards?: true;
  /** Whether something is broken in it on purpose: then it is judged phase by phase. */
  readonly isBroken?: true;
  /** Whether waits count from the beginning of a task. */
  readonly isPaced?: boolean;
  /** The scenario as its file defines it; `undefined` for one of ours. */
  readonly custom?: DefinedScenario;
}

/**
 * Does one task. A user without a token (its registration or its login failed) tries that again
 * instead: there is nothing else it could do.
 * @param intendedAtMs when it should have begun, in the open model
 */
export const actScenario = async (
  { tasks }: Scenario,
  user: VirtualUser,
  task: string,
  witnesses: Witnesses | undefined,
  intendedAtMs?: number,
): Promise<void> => {
  user.begin(intendedAtMs);
  if (user.token === undefined) await user.enter();
  else await tasks[task]?.act(user, witnesses);
};

/**
 * Whether the users of a scenario sign in to Catalytic; else the target is sent only what the
 * scenario names.
 */
export const usesAccounts = ({ custom }: Scenario): boolean => custom === undefined || custom.accounts === true;

/** Weights of the tasks. */
export const weightsOf = ({ tasks }: Scenario): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(tasks).map(([name, { weight }]) => [name, weight]));
