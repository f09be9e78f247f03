/**
 * Types of `run-data.js`.
 * @module
 */
import type { RunResult } from '../../results/result.ts';
import type { CurvePoint } from '../../results/window-result.ts';

/** A figure by which runs are compared. */
export interface Figure {
  readonly name: string;
  readonly value: number | null;
  /** More is better; without it less is, unless `neither` is set. */
  readonly more?: true;
  readonly neither?: true;
}

/** A figure of two runs. */
export interface Ratio {
  readonly name: string;
  readonly value: number | null;
  readonly other: number | null;
  /** The first to the second; `null` when one is missing or the second is 0. */
  readonly ratio: number | null;
  /** How the first is to the second; under 5 % apart is even. */
  readonly trend: 'better' | 'worse' | 'even';
}

/** A stretch of a run in which something was broken, seconds from its start. */
export interface Band {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

type Column = readonly (number | null)[];

/** Data of a run for the charts. */
export interface RunData {
  readonly name: string;
  /** Seconds per point. */
  readonly step: number;
  readonly seconds: number;
  readonly series: Readonly<Record<string, Column>>;
  readonly server: Readonly<Record<string, Column>>;
  readonly curve: readonly CurvePoint[];
  readonly steadyFrom: number | null;
  readonly bands: readonly Band[];
  readonly limits: Readonly<Record<string, number>>;
  readonly figures: readonly Figure[];
}

/** Seconds per point of a run of `seconds`. */
export declare const stepOf: (seconds: number) => number;

/** Stretches in which something was broken. */
export declare const bandsOf: (result: RunResult) => readonly Band[];

/** Columns of a run. */
export declare const runData: (result: RunResult, step?: number) => RunData;

/** Figures of the judged window. */
export declare const figuresOf: (result: RunResult) => readonly Figure[];

/** Figures of two runs side by side. */
export declare const ratiosOf: (ours: readonly Figure[], others: readonly Figure[]) => readonly Ratio[];
