/**
 * All scenarios, by name.
 * @module
 */
import { auth } from './auth.ts';
import { mixed } from './mixed.ts';
import { outage } from './outage.ts';
import { revocation } from './revocation.ts';
import { type Scenario, weightsOf } from './scenario.ts';
import { verify } from './verify.ts';

const all: readonly Scenario[] = [auth, verify, mixed, revocation, outage];

/** The scenarios by name, in the order in which the help lists them. */
export const scenarios: ReadonlyMap<string, Scenario> = new Map(all.map((scenario) => [scenario.name, scenario]));

/** One line of help each: the tasks of users, their weights and pauses. */
export const scenarioLines = (): readonly string[] =>
  all.map((scenario) => {
    const weights = Object.entries(weightsOf(scenario)).map(([task, weight]) => `${task} ${weight}`);
    const [shortest, longest] = scenario.waitSeconds;
    const share = weights.length > 1 ? `; ${weights.join(', ')}` : '';
    return `  ${scenario.name.padEnd(11)} ${scenario.summary}${share}; waits ${shortest} to ${longest} s`;
  });
