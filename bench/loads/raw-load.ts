/**
 * A load that costs less than any server: requests are bytes made beforehand, answers are told apart by their length. Closed loop, one
 * request under way on each connection, no pipelining.
 * @module
 */
import { askChild } from '../harness/child.ts';

/** A load to send. */
export interface RawPlan {
  readonly url: string;
  readonly path: string;
  /** File with one value a line, sent in turn. */
  readonly valuesFile: string;
  /** The header that carries the value, with what stands before it: `Authorization: Bearer `. */
  readonly header: string;
  /** Line to begin with. */
  readonly from: number;
  readonly connections: number;
  readonly seconds: number;
}

/** The answers to a load. */
export interface RawLoad {
  readonly requests: number;
  /** Answers that were not 200. */
  readonly refused: number;
  readonly seconds: number;
  /** Of the generator, while it sent. */
  readonly cpuSeconds: number;
}

/** What the process does. */
export type RawLoadTasks = { send(plan: RawPlan): Promise<RawLoad> };

/** Sends the plan from a process that is tied to a CPU core. @throws Error when that process ends without a result */
export const sendRawLoad = (plan: RawPlan, core: number): Promise<RawLoad> =>
  askChild<RawLoadTasks, 'send'>(new URL('raw-load-process.ts', import.meta.url), 'send', plan, { core });
