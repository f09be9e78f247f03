/**
 * The ways in which a run makes its load, behind one interface: users that wait for their answers,
 * tasks that begin at their own times, and logouts that do.
 * @module
 */
import type { Crowd } from '../arrivals/crowd.ts';
import type { RunOptions } from '../options/run-options.ts';
import type { AccountSource } from '../targets/accounts.ts';
import type { Connections, Players } from './players.ts';

/** Parts that a load is prepared with. */
export interface LoadParts {
  readonly options: RunOptions;
  readonly accounts: AccountSource;
  readonly players: Players;
  /** Shows how far the preparation has come. */
  readonly say: (text: string) => void;
  readonly interrupted: AbortSignal;
}

/** A load that may begin. */
export interface ReadyLoad {
  /** Connections that it uses. At the end of a run they are counted and closed. */
  readonly connections: readonly Connections[];
  /** Begins. @param startMs start of the run, on this process's monotonic clock */
  start(startMs: number): Crowd;
}

/** Does everything that must be done before the first measured request. */
export type LoadModel = (parts: LoadParts) => Promise<ReadyLoad>;
