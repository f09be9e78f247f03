/**
 * What an experiment is made of: phases, each a target, a load and what an earlier report said of the same.
 * @module
 */
import type { NaiveState } from '../reference/naive-server.ts';
import type { RunResult } from '../reports/result.ts';

/** What is loaded. */
export type TargetKind =
  /** The service with one process on SQLite. */
  | { readonly kind: 'embedded' }
  /** The service with so many workers on PostgreSQL, and Redis. */
  | { readonly kind: 'workers'; readonly workers: number }
  /** The server of the lab that shares nothing. */
  | { readonly kind: 'naive'; readonly workers: number; readonly state: NaiveState; readonly closes: boolean };

/** What a report of somebody else says of a run. */
export interface EarlierFigures {
  readonly users: number;
  readonly requestsPerSecond: number;
  readonly failedPercent: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number | undefined;
}

/** One run. */
export interface Phase {
  readonly id: string;
  readonly title: string;
  /** What it is to show, in a sentence. */
  readonly question: string;
  readonly target: TargetKind;
  readonly scenario: 'auth' | 'mixed' | 'outage';
  readonly users: number;
  /** After the last user has started, seconds. */
  readonly steadySeconds: number;
  /** Users started per second, where it is not half of what the target can hash. */
  readonly spawnRate?: number;
  readonly earlier?: EarlierFigures;
}

/** A phase that was run. */
export interface PhaseResult {
  readonly phase: Phase;
  /** Passwords per second that the target hashed beside nothing else, measured before; `null` where it hashes none. */
  readonly hashesPerSecond: number | null;
  readonly spawnRate: number;
  /** `null`: there is none, for this reason. */
  readonly result: RunResult | null;
  readonly reason: string | null;
}
