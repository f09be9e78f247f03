/**
 * Custom scenarios: a TypeScript or JavaScript file whose default export is
 * `defineScenario({ … })`, run with `catalytic-lab run ./file.ts`.
 * docs/guides/custom-scenario.md has a complete example.
 * @module
 */
import { type Random, randomOf } from '../arrivals/random.ts';
import type { Criteria } from '../measures/criteria.ts';
import type { MetricKind } from '../measures/custom-measures.ts';
import type { Measured } from '../measures/measured.ts';
import type { RunResult } from '../results/result.ts';
import { flawOf } from './check-definition.ts';
import type { DataPool } from './data-pool.ts';
import type { ScenarioUser } from './scenario-user.ts';
import { ScenarioFlaw } from './source-place.ts';

export type { Criteria } from '../measures/criteria.ts';
export type {
  CustomRequest,
  /** @deprecated Name of version 0.1: {@link CustomRequest}. */
  CustomRequest as OwnRequest,
} from './custom-request.ts';
export { type DataPool, random, sequential, unique } from './data-pool.ts';
export type {
  CustomAnswer,
  /** @deprecated Name of version 0.1: {@link CustomAnswer}. */
  CustomAnswer as OwnAnswer,
  ScenarioUser,
} from './scenario-user.ts';

/** How long a user waits before each task. */
export type Wait =
  | { readonly kind: 'between'; readonly seconds: readonly [number, number] }
  | { readonly kind: 'pacing'; readonly seconds: readonly [number, number] }
  | { readonly kind: 'drawn'; readonly draw: (random: Random) => number };

const isSeconds = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0;

/**
 * Waits drawn evenly between two numbers of seconds, from the end of a task to the beginning of the
 * next.
 * @throws ScenarioFlaw
 */
export const between = (shortest: number, longest: number): Wait => {
  if (!isSeconds(shortest) || !isSeconds(longest) || shortest > longest)
    throw new ScenarioFlaw(
      `wait between(${shortest}, ${longest})`,
      'give two numbers of seconds, 0 or more, the shorter one first',
    );
  return { kind: 'between', seconds: [shortest, longest] };
};

/** Always the same wait, seconds. @throws ScenarioFlaw */
export const constant = (seconds: number): Wait => {
  if (!isSeconds(seconds)) throw new ScenarioFlaw(`wait constant(${seconds})`, 'give a number of seconds, 0 or more');
  return { kind: 'between', seconds: [seconds, seconds] };
};

/**
 * Starts a task every `seconds`, however long the one before took. A task that took longer is
 * followed at once.
 * @throws ScenarioFlaw
 */
export const pacing = (seconds: number): Wait => {
  if (!isSeconds(seconds) || seconds === 0)
    throw new ScenarioFlaw(`wait pacing(${seconds})`, 'give a number of seconds above 0');
  return { kind: 'pacing', seconds: [seconds, seconds] };
};

/**
 * Waits of your own, seconds. One is drawn at once, to see that it is a wait.
 * @param draw is given a source of numbers in [0, 1) that follows the seed: use it in place of
 * Math.random
 * @throws ScenarioFlaw
 */
export const drawn = (draw: (random: Random) => number): Wait => {
  if (typeof draw !== 'function')
    throw new ScenarioFlaw('wait drawn(…)', 'give a function, such as (random) => 1 + random()');
  const wait = draw(randomOf('drawn', 0));
  if (!isSeconds(wait)) throw new ScenarioFlaw('wait drawn(…)', `it drew ${wait}: draw numbers of seconds, 0 or more`);
  return { kind: 'drawn', draw };
};

/** One thing a user does. */
export interface CustomTask<Row> {
  /** Name of the task, unlike that of any other. */
  readonly name: string;
  /** How often it is chosen beside the others; 1 by default. */
  readonly weight?: number;
  /** Tags for `--tag` and `--exclude-tag`. */
  readonly tags?: readonly string[];
  readonly run: (user: ScenarioUser<Row>) => Promise<unknown>;
}

/** @deprecated Name of version 0.1: {@link CustomTask}. */
export type OwnTask<Row> = CustomTask<Row>;

/** Facts of a run that hooks receive. */
export interface RunFacts {
  readonly target: string;
  readonly users: number;
  readonly seed: string;
  /** Number of this process, from 0, and of how many. */
  readonly process: number;
  readonly processes: number;
}

/** Hooks of a run. With `--processes` all but `quitting` are called in each process. */
export interface Hooks {
  /** Before the first user starts; the run waits up to 60 s for it. */
  readonly testStart?: (run: RunFacts) => Promise<void> | void;
  /** When every user has started and has been ready once. */
  readonly spawningComplete?: (run: RunFacts) => void;
  /** After each request, as it is counted. It runs 4,000 times a second: keep it short. */
  readonly request?: (request: Measured) => void;
  /** After the last user has gone; the run waits up to 10 s for it. */
  readonly testStop?: (run: RunFacts) => Promise<void> | void;
  /**
   * When the result has been written, before the process ends; the lab waits up to 60 s. A fault of
   * it makes the run invalid.
   */
  readonly quitting?: (result: RunResult) => Promise<void> | void;
}

/** A scenario as it is written. `Row` is the type of the rows of the data pool. */
export interface ScenarioDefinition<Row = undefined> {
  /** Letters, digits and dashes: it names the result files. */
  readonly name: string;
  /** One line for people. */
  readonly summary?: string;
  readonly tasks: readonly CustomTask<Row>[];
  /** Default: between 1 and 3 seconds. */
  readonly wait?: Wait;
  /** First act of each user. While it throws, it is tried again in place of the user's tasks. */
  readonly onStart?: (user: ScenarioUser<Row>) => Promise<unknown>;
  /** Last act of a user that goes. At the end of a run its requests are not counted any more. */
  readonly onStop?: (user: ScenarioUser<Row>) => Promise<unknown>;
  /**
   * Whether the target is Catalytic and its users sign in: `true` has the lab import an account for
   * each, with an admin key, ask the target whether it is ready, and read its metrics. Without it
   * the target is sent only what the scenario names.
   */
  readonly accounts?: boolean;
  /**
   * Rows for the users: `user.data` is one, drawn anew before each task except from a `unique`
   * pool.
   */
  readonly dataPool?: DataPool<Row>;
  /** Tags of all tasks. */
  readonly tags?: readonly string[];
  /** Names of the checks that `user.check` counts. One that never ran is shown as such. */
  readonly checks?: readonly string[];
  /** Metrics that `user.count` and `user.trend` feed. */
  readonly metrics?: Readonly<Record<string, MetricKind>>;
  /** Criteria of the run; the command line adds to them, or replaces them. */
  readonly criteria?: Criteria;
  readonly hooks?: Hooks;
}

/** Mark by which the lab knows a scenario, whichever copy of this file made it. */
export const scenarioFormat = 'catalytic-lab/scenario/1';

/** A scenario that the lab can run. */
export interface DefinedScenario<Row = unknown> extends ScenarioDefinition<Row> {
  readonly format: typeof scenarioFormat;
}

/**
 * Makes a scenario.
 * @example
 * export default defineScenario({
 *   name: 'profile',
 *   tasks: [{ name: 'read', run: (user) => user.get('/auth/me') }],
 *   onStart: (user) => user.login(),
 * });
 * @throws ScenarioFlaw that says what is wrong with it, and on which line
 */
export const defineScenario = <Row = undefined>(definition: ScenarioDefinition<Row>): DefinedScenario<Row> => {
  const flaw = flawOf(definition);
  // A definition that is none at all has no name either.
  if (flaw !== undefined) throw new ScenarioFlaw(`define the scenario "${definition?.name}"`, flaw.reason, flaw.keys);
  return { ...definition, format: scenarioFormat };
};
