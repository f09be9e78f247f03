/**
 * The result of a run: the JSON file is the truth, every other report is derived from it. Its
 * schema is `result.schema.json`.
 * @module
 */

import type { Baseline } from './baseline.ts';
import type { Counted } from './counted.ts';
import type { CustomResult } from './custom-result.ts';
import type { GuardsResult } from './guard-result.ts';
import type { OutageResult } from './outage-result.ts';
import type { TransportResult } from './transport-result.ts';
import type { ValidityCheck, Verdict } from './verdict.ts';
import type { PercentilesMs, TimesResult, WindowResult } from './window-result.ts';

/** Exit codes of the lab. */
export const exitCodes = {
  passed: 0,
  usage: 1,
  criterionFailed: 2,
  invalid: 3,
  violated: 4,
  unreachable: 5,
  notJudged: 6,
} as const;

/** Exit codes in order of severity, the worst first. */
const severity: readonly number[] = [
  exitCodes.violated,
  exitCodes.unreachable,
  exitCodes.invalid,
  exitCodes.criterionFailed,
  exitCodes.notJudged,
];

/** Of several exit codes the one that says the worst; without any, {@link exitCodes.passed}. */
export const worstExitCode = (codes: readonly number[]): number =>
  severity.find((code) => codes.includes(code)) ?? exitCodes.passed;

/** One second. Together they hold every request of the run. */
export interface SecondResult {
  readonly t_s: number;
  readonly unix_s: number;
  readonly users: number;
  readonly requests: number;
  readonly ok: number;
  readonly expected: number;
  readonly real: number;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  readonly p99_ms: number | null;
  readonly generator_cpu_percent: number;
  readonly loop_delay_p99_ms: number;
  readonly loop_busy_percent: number;
  readonly generator_rss_mb: number;
  readonly target_cpu_percent: number | null;
  readonly target_rss_mb: number | null;
  /**
   * Set on the last entry when it is no second, but the time after the end in which the run waited
   * for the last answers.
   */
  readonly is_after_end?: boolean;
}

/** How fast revocations took effect. */
export interface RevocationResult {
  /**
   * Where each dead token was tried: on every worker, or over fresh connections where workers are
   * not named.
   */
  readonly asked: 'workers' | 'fresh connections';
  /** Workers to which connections were held at the end. */
  readonly workers: readonly string[];
  /** Logout sent, or in the open model its intended start, until its answer. */
  readonly logout: TimesResult;
  /** Logout answered 200 until every one asked at once had refused the token. */
  readonly rejection: TimesResult;
  /** Logout sent until the first refusal of the slowest one asked, over a sample of logouts. */
  readonly propagation: TimesResult;
  readonly probe_every: number;
  /** Workers that still accepted a probed token when the probe gave up. */
  readonly unrefused: number;
  /** Questions that the worker they were meant for did not answer, because it had gone. */
  readonly lost_workers: number;
}

/** The target's metrics (`/metrics`), in columns. */
export interface ServerResult {
  readonly url: string;
  /** Why nothing was measured; `null` when something was. */
  readonly not_measured: string | null;
  readonly every_s: number;
  /** Scrapes that went unanswered. */
  readonly missed: number;
  readonly t_s: readonly number[];
  /**
   * By the names of `probes/server-series.ts`; a series that the target lacks is absent, a missing
   * sample is `null`.
   */
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
}

/** Everything about a run. */
export interface RunResult {
  readonly format: 'catalytic-lab/1';
  /** Version of the lab. */
  readonly lab_version: string;
  readonly scenario: string;
  readonly started_at: string;
  /** Its address; requests went below the path of it. */
  readonly target: string;
  readonly options: {
    readonly users: number;
    readonly spawn_rate: number;
    readonly duration_s: number;
    readonly seed: string;
    readonly wait_s: readonly [number, number];
    readonly timeout_s: number;
    readonly weights: Readonly<Record<string, number>>;
    /** The open model's rate; `null` in the closed model. */
    readonly logouts_per_second: number | null;
    /** Rate of the open model of tasks; `null` in the closed model, and where stages have rates. */
    readonly rate_per_second: number | null;
    /** Gaps of the open model. */
    readonly arrivals: 'even' | 'random';
    readonly stages: readonly {
      readonly duration_s: number;
      readonly users: number | null;
      readonly spawn_rate: number | null;
      readonly rate_per_second: number | null;
    }[];
    /** Whether waits count from the beginning of a task. */
    readonly is_paced: boolean;
    readonly processes: number;
    /** Range that the users connected from; `null`: one address. */
    readonly source_addresses: string | null;
  };
  readonly schedule_fingerprint: string;
  readonly accounts: { readonly kind: 'imported' | 'registered'; readonly reason?: string };
  /** Machine of the generator. */
  readonly machine: {
    readonly cores: number;
    readonly cpu: string;
    readonly memory_gib: number;
    readonly platform: string;
    readonly node: string;
  };
  /** How the run ended. */
  readonly ended: 'completed' | 'interrupted' | 'unreachable' | 'aborted';
  /**
   * The criterion that was beyond saving, by the name that `--abort-when` takes; absent in a run
   * that was not aborted.
   */
  readonly aborted_by?: string;
  readonly whole: WindowResult;
  /** From the moment every user had logged in once; `null` when that did not come. */
  readonly steady: WindowResult | null;
  readonly errors: readonly {
    readonly kind: 'expected' | 'real';
    readonly method: string;
    readonly endpoint: string;
    readonly error: string;
    readonly occurrences: number;
    readonly first_seen_unix_s: number;
    readonly last_seen_unix_s: number;
  }[];
  /** Faults of the lab itself; one is enough to make a run invalid. */
  readonly exceptions: readonly {
    readonly count: number;
    readonly message: string;
    /**
     * `file:line` of the scenario, or another description of the place. Absent in results of
     * earlier versions.
     */
    readonly place?: string;
    readonly traceback: string;
  }[];
  /** Answers 200 and 202 to logouts, over the whole run. */
  readonly logouts: { readonly completed: number; readonly pending: number };
  /** Faults of the run, in the planned order. */
  readonly faults: readonly {
    readonly name: string;
    readonly fault: string;
    /** Seconds from the start of the run. */
    readonly planned_s: number;
    /** When it began; `null` when the run ended before. */
    readonly actual_s: number | null;
    /** When it was done: a command takes its time. `null` when it was not. */
    readonly done_s: number | null;
    /** Why it could not be done. */
    readonly error: string | null;
  }[];
  readonly consistency: {
    readonly revoked_tokens: number;
    readonly dead_checks: number;
    /** Successors given for refresh tokens, replays included. */
    readonly rotations: number;
    readonly violations: number;
    readonly timelines: readonly {
      readonly token: number;
      readonly rule: string;
      readonly events: readonly { readonly at_ms: number; readonly what: string; readonly worker?: string }[];
    }[];
  };
  /**
   * How fast revocations took effect, from the steady window on; `null` in a scenario that does not
   * ask every worker.
   */
  readonly revocation: RevocationResult | null;
  /** What guarded APIs made of tokens; absent when none was named. */
  readonly guards?: GuardsResult;
  /** Counts of a custom scenario; `null` for a built-in one. */
  readonly own: CustomResult | null;
  /** Connections, beside the requests; `null` in results of before. */
  readonly transport: TransportResult | null;
  /** Phases and recoveries; `null` in a scenario that is not broken on purpose. */
  readonly outage: OutageResult | null;
  /** Limits; a measure without one is not judged. */
  readonly criteria: {
    readonly p50_ms?: number;
    readonly p95_ms?: number;
    readonly p99_ms?: number;
    readonly real_failures_percent?: number;
    readonly endpoint_failures_percent?: number;
    readonly rejected_ms?: number;
    /** Of single endpoints, checks, counters and trends. */
    readonly single?: readonly {
      readonly of: string;
      readonly name: string;
      readonly measure: string;
      readonly limit: number;
    }[];
  };
  /**
   * Which window the criteria judge: the whole run when the steady window never came or is too
   * short to speak for it.
   */
  readonly judged: 'steady' | 'whole';
  readonly verdicts: readonly Verdict[];
  readonly validity: readonly ValidityCheck[];
  /** Little's law over the steady window: users = tasks_per_second · (response_s + wait_s). */
  readonly little: {
    readonly users: number;
    readonly tasks_per_second: number;
    readonly response_s: number;
    readonly wait_s: number;
  } | null;
  readonly generator: {
    readonly cpu_seconds: number;
    readonly cpu_us_per_request: number;
    readonly rss_mb_max: number;
    readonly connections_opened: number;
    /** Connections opened again: so often was one closed. */
    readonly reconnects: number;
    readonly users_started: number;
    readonly cut_requests: number;
  };
  readonly target_process: {
    readonly pid: number;
    readonly cpu_seconds: number;
    readonly cpu_us_per_request: number;
    readonly rss_mb_start: number;
    readonly rss_mb_end: number;
    readonly rss_mb_max: number;
  } | null;
  /** Processes that were counted with the target; `null` when one was gone at the end. */
  readonly also_counted: readonly { readonly pid: number; readonly cpu_seconds: number | null }[];
  /** The target's metrics; `null` when they were not asked. */
  readonly server: ServerResult | null;
  /** Counts for the score card, as given. */
  readonly counted: readonly Counted[];
  /** Earlier figures that the reports set beside this run; absent when none were given. */
  readonly baseline?: Baseline;
  readonly exit_code: number;
  readonly seconds: readonly SecondResult[];
  /** Unix seconds and cumulative counters behind each row of the history file. */
  readonly history: readonly HistoryRow[];
}

/** One row of the history file. */
export interface HistoryRow {
  readonly unix_s: number;
  readonly users: number;
  readonly requests_per_second: number;
  readonly failures_per_second: number;
  /** Of the last ten seconds, as the shortest latency is. */
  readonly percentiles_ms: PercentilesMs;
  /** Absent in results of earlier versions. */
  readonly min_ms?: number;
  readonly total_requests: number;
  readonly total_failures: number;
  readonly total_median_ms: number;
  readonly total_mean_ms: number;
  readonly total_min_ms: number;
  readonly total_max_ms: number;
  readonly total_mean_bytes: number;
}
