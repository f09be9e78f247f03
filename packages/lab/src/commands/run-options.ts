/**
 * Options of `run`, parsed and checked.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { InvalidArgumentError } from 'commander';
import { durationExamples, parseDuration as durationOf, parseDecimal } from '../arrivals/duration.ts';
import type { Stage } from '../arrivals/stages.ts';
import type { FaultPlan } from '../faults/plan.ts';
import { type Counted, parseCounted } from '../measures/counted.ts';
import type { AskedCriterion } from '../measures/criterion.ts';
import type { OutageParts } from '../measures/outage-measure.ts';
import { off } from '../measures/read-criteria.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import type { ConnectionLimits } from '../targets/connection.ts';
import { basePathOf } from '../targets/origin.ts';
import type { AddressRange } from '../targets/source-addresses.ts';
import type { Authorities, Trust } from '../targets/trust.ts';

/** What a scenario that is broken on purpose is told. */
export interface OutageOptions extends OutageParts {
  /** What is not broken because it was not declared, a phrase each. */
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

/** What a run is asked to be. */
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
  /** The open model: so many sessions are signed out each second, whatever the answers do. */
  readonly logoutsPerSecond: number | undefined;
  /** Most sessions that are signed in for it. */
  readonly sessions: number | undefined;
  /** Every so many logouts one is probed from its sending on. */
  readonly probeEvery: number;
  /** Address of the target's metrics; `undefined`: where its operate routes are; `false`: they are left alone. */
  readonly metrics: string | false | undefined;
  /** What the score card counts. */
  readonly count: readonly Counted[];
  /** Parts of the run, with users or a rate of their own; empty when it has none. */
  readonly stages: readonly Stage[];
  /** The open model: so many tasks begin each second, by the first of the users that is idle. */
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

/** What the connections of a run allow the target. */
export const limitsOf = (options: RunOptions): ConnectionLimits => ({
  connectMs: Math.min(connectMsMax, options.timeoutSeconds * 1000),
  answerMs: options.timeoutSeconds * 1000,
  trust: trustOf(options),
  // What a fault of the run has cut is what the run measures: nothing of it is repeated.
  mayCloseIdle: options.faults.faults.length === 0,
});

/** A number above zero, in decimal digits. */
export const parsePositive = (text: string): number => {
  const value = parseDecimal(text);
  if (value !== undefined && value > 0) return value;
  throw new InvalidArgumentError('Give a number above zero.');
};

/** A number from 0 to 100. */
export const parsePercent = (text: string): number => {
  const value = parseDecimal(text);
  if (value !== undefined && value <= 100) return value;
  throw new InvalidArgumentError('Give a number from 0 to 100.');
};

/** Milliseconds of a limit, 0 or more. */
export const parseMs = (text: string): number => {
  const value = parseDecimal(text);
  if (value !== undefined) return value;
  throw new InvalidArgumentError('Give a number of 0 or more.');
};

/** A limit of a criterion, read by `parse`, or `none`, which switches it off. */
export const parseLimit =
  (parse: (text: string) => number) =>
  (text: string): number | typeof off =>
    text === off ? off : parse(text);

/** A whole number above zero. */
export const parseCount = (text: string): number => {
  const value = parsePositive(text);
  if (Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('Give a whole number.');
};

/** Whole numbers above zero, one more each time. */
export const collectCounts = (text: string, before: readonly number[] = []): readonly number[] => [
  ...before,
  parseCount(text),
];

/** `90`, `90s`, `1h30m`, `500ms`, in seconds. */
export const parseDuration = (text: string): number => {
  const seconds = durationOf(text);
  if (seconds !== undefined) return seconds;
  throw new InvalidArgumentError(`Give a duration such as ${durationExamples}.`);
};

/** `1-3`, or `2` for always the same, in seconds. */
export const parseWait = (text: string): readonly [number, number] => {
  const match = /^(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?$/.exec(text);
  const wait = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])] as const;
  if (match === null || wait[0] > wait[1])
    throw new InvalidArgumentError('Give a number of seconds such as 2, or two such as 1-3.');
  return wait;
};

/** Fewest characters of a password that the service accepts. */
const passwordLengthMin = 15;

/** A password long enough to register with; counted in code points, as the service does. */
export const parsePassword = (text: string): string => {
  if ([...text].length >= passwordLengthMin) return text;
  throw new InvalidArgumentError(`Give at least ${passwordLengthMin} characters.`);
};

/** A word of the command line that is collected: it may be given several times. */
export const collect = (word: string, earlier: readonly string[] = []): readonly string[] => [...earlier, word];

/** What a parser of ours says of a word, as the command line says it. */
export const parsedBy =
  <Value>(parse: (text: string) => Value) =>
  (text: string): Value => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
    }
  };

const parseHttp = (text: string, example: string): URL => {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new InvalidArgumentError(`Give a URL such as ${example}.`);
  return url;
};

/** Where a target is: `http://host:port`, or `http://host:port/api/v2`, below whose path every request goes. */
export const parseTarget = (text: string): string => {
  const { origin, username, password, search, hash } = parseHttp(text, 'http://127.0.0.1:8000');
  // An address stands in every file of a run, and a secret must not.
  if (username !== '' || password !== '')
    throw new InvalidArgumentError('Leave out user name and password. A scenario sends them in a header field.');
  if (search !== '' || hash !== '')
    throw new InvalidArgumentError('Leave out what follows "?" or "#": a target is a host and, if need be, a path.');
  return origin + basePathOf(text);
};

/** An address with a path: `http://host:port/metrics`. A user and a password in it must be percent-encoded. */
export const parseUrl = (text: string): string => {
  const url = parseHttp(text, 'http://127.0.0.1:8000/metrics');
  try {
    decodeURIComponent(url.username + url.password);
  } catch {
    throw new InvalidArgumentError('Percent-encode the user and the password in it.');
  }
  return url.href;
};

/** `NAME=DONE/ALL`, or `NAME=FILE`; one more each time. */
export const collectCounted = (text: string, before: readonly Counted[] = []): readonly Counted[] => {
  const counted = parseCounted(text);
  if (typeof counted === 'string') throw new InvalidArgumentError(counted);
  return [...before.filter(({ name }) => name !== counted.name), counted];
};

/** A seed nobody has used. */
export const newSeed = (): string => randomBytes(4).toString('hex');
