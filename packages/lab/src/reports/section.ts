/**
 * The content of a report, before it is Markdown or HTML. Both renderers show the same sections.
 * @module
 */
import type { RunResult } from '../results/result.ts';

/** Meaning of a cell, shown where the medium can show it. */
export type Tone = 'good' | 'bad' | 'doubt' | 'expected' | 'plain';

/** A cell with more to it than its text. */
export interface RichCell {
  readonly text: string;
  readonly tone?: Tone;
  /** A verdict, shown as a mark. */
  readonly isPill?: true;
  /** Emphasised in every medium. */
  readonly isStrong?: true;
  /** Drawn as a bar where the medium can draw; a full bar is 1. */
  readonly share?: number;
}

/** A cell of a table. */
export type Cell = string | RichCell;

/** A table. Columns whose cells are bars without text are left out where nothing can be drawn. */
export interface Table {
  readonly kind: 'table';
  /** Empty where the heading above it says all. */
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** Lines that keep their columns, such as a chart in block characters. */
export interface Drawing {
  readonly kind: 'drawing';
  readonly text: string;
}

/** A part of a section with its heading. */
export interface Subsection {
  readonly kind: 'subsection';
  readonly title: string;
  readonly parts: readonly Part[];
  /** Shown on demand, where the medium can do that. */
  readonly isFolded?: boolean;
}

/** Text is a paragraph; code in it stands between backticks. */
export type Part = string | Table | Drawing | Subsection;

/** A section of a report. */
export interface Section {
  /** Names it in links. */
  readonly id: string;
  readonly title: string;
  readonly parts: readonly Part[];
}

/** Makes the sections that a result has something to say in. */
export type SectionMaker = (result: RunResult) => readonly Section[];

/** Makes a table. */
export const tableOf = (title: string, head: readonly string[], rows: readonly (readonly Cell[])[]): Table => ({
  kind: 'table',
  title,
  head,
  rows,
});

/** A cell that is only a bar. */
export const barOf = (share: number, tone: Tone): RichCell => ({ text: '', share, tone });
