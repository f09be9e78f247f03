/**
 * The options of a run, as the engine takes them.
 * @module
 */
import type { Stage } from '../arrivals/stages.ts';
import type { FaultPlan } from '../faults/plan.ts';
import type { AskedCriterion } from '../measures/criterion.ts';
import type { GuardedApi } from '../measures/guard-measure.ts';
import type { OutageParts } from '../measures/outage-measure.ts';
import type { Baseline } from '../results/baseline.ts';
import type { Counted } from '../results/counted.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import type { ConnectionLimits } from '../targets/connection.ts';
import type { AddressRange } from '../targets/source-addresses.ts';
import type { Authorities, Trust } from '../targets/trust.ts';

/** Options of a scenario that breaks things on purpose. */
export interface OutageOptions extends OutageParts {
  /** Outages that are left out because their subject was not declared, a phrase each. */
  readonly leftOut: readonly string[];
  /** The outages and their times in words. */
  readonly plan: readonly string[];
}

/** A scenario as the command line names it. */
export interface ScenarioSource {
  /** Name, or path of a file. */
  readonly name: string;
  /** Tasks that were asked for, and those that were not, by their tags. */
  readonly tags: readonly string[];
  readonly without: readonly string[];
}

/** All options of a run. */
export interface RunOptions {
  readonly scenario: Scenario;
  /** How another process finds the same scenario. */
  readonly scenarioSource: ScenarioSource;
  readonly target: string;
  /** Origin at which the admin routes answer; `undefined`: at the target. */
  readonly operateTarget: string | undefined;
  readonly users: number;
  readonly spawnRate: number;
  readonly durationSeconds: number;
  readonly seed: string;
  readonly waitSeconds: readonly [number, number];
  readonly tenant: string;
  /** Password of all accounts of the run. */
  readonly password: string;
  readonly adminKey: string | undefined;
  readonly adminKeyFile: string | undefined;
  /** Longest wait for an answer. */
  readonly timeoutSeconds: number;
  /** Authorities that are trusted beside the system's. */
  readonly ca: Authorities | undefined;
  /** Whether any certificate of the target is taken. */
  readonly insecure: boolean;
  readonly targetPid: number | undefined;
  /** Processes whose CPU time is no stranger's, such as the target's database. */
  readonly alsoCount: readonly number[];
  /** Open model: sessions signed out per second, whatever the answers do. */
  readonly logoutsPerSecond: number | undefined;
  /** Most sessions that are signed in for it. */
  readonly sessions: number | undefined;
  /** One logout in this many is probed from its sending on. */
  readonly probeEvery: number;
  /** APIs behind guards, at which tokens are tried, too. */
  readonly guards: readonly GuardedApi[];
  /** Lease of the guards among them that follow. */
  readonly guardLeaseSeconds: number;
  /**
   * Address of the target's metrics; `undefined`: where its operate routes are; `false`: they are
   * left alone.
   */
  readonly metrics: string | false | undefined;
  /** Counts for the score card. */
  readonly count: readonly Counted[];
  /** Earlier figures that the reports set beside the run. */
  readonly baseline: Baseline | undefined;
  /** Parts of the run, each with its users or its rate; empty when it has none. */
  readonly stages: readonly Stage[];
  /** Open model: tasks started per second, each on the first idle user. */
  readonly rate: number | undefined;
  /** Gaps between them. */
  readonly arrivals: 'even' | 'random';
  /** Whether waits count from the beginning of a task. */
  readonly isPaced: boolean;
  /** Addresses that users connect from; `undefined`: any. */
  readonly sourceAddresses: AddressRange | undefined;
  /** Processes that generate the load. */
  readonly processes: number;
  /** Share of the users that this process has: number `first`, and every `of`-th after it. */
  readonly share: { readonly first: number; readonly of: number };
  readonly criteria: readonly AskedCriterion[];
  /** Names of the criteria that end the run early when they are beyond saving. */
  readonly abortWhen: readonly string[];
  readonly faults: FaultPlan;
  /** `undefined` in a scenario that is not broken on purpose. */
  readonly outage: OutageOptions | undefined;
  /** Path and beginning of the names of all result files. */
  readonly out: string;
}

/** Longest wait for a connection, milliseconds; shorter when the wait for an answer is. */
const connectMsMax = 10_000;

/** Which certificates of the target a run takes. */
export const trustOf = ({
  ca,
  insecure,
}: {
  readonly ca?: Authorities | undefined;
  readonly insecure: boolean;
}): Trust => ({
  authorities: ca,
  isInsecure: insecure,
});

/** Time limits and trust of the connections of a run. */
export const limitsOf = (options: RunOptions): ConnectionLimits => ({
  connectMs: Math.min(connectMsMax, options.timeoutSeconds * 1000),
  answerMs: options.timeoutSeconds * 1000,
  trust: trustOf(options),
  // A run with faults measures the requests that they cut, so no request is repeated.
  mayCloseIdle: options.faults.faults.length === 0,
});
