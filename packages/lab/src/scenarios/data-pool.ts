/**
 * Rows of test data that users draw from.
 * @module
 */
import type { Random } from '../arrivals/random.ts';
import { ScenarioFlaw } from './source-place.ts';

/** The user that draws a row. */
export interface DrawPlace {
  /** Number of the user in the run. */
  readonly index: number;
  readonly random: Random;
  /** Share of the users that this process has: number `first`, and every `of`-th after it. */
  readonly share: { readonly first: number; readonly of: number };
}

/** A pool. */
export interface DataPool<Row> {
  readonly rows: readonly Row[];
  readonly order: 'sequential' | 'random' | 'unique';
}

const poolOf = <Row>(order: DataPool<Row>['order'], rows: readonly Row[]): DataPool<Row> => {
  if (!Array.isArray(rows)) throw new ScenarioFlaw(`draw rows with ${order}(…)`, 'give an array of rows');
  if (rows.length === 0)
    throw new ScenarioFlaw(`draw rows with ${order}(…)`, 'a data pool needs at least one row, and was given none');
  return { rows, order };
};

/** Rows in order: each draw takes the next one, and after the last the first again. */
export const sequential = <Row>(rows: readonly Row[]): DataPool<Row> => poolOf('sequential', rows);

/** Any row each time, by the seed. */
export const random = <Row>(rows: readonly Row[]): DataPool<Row> => poolOf('random', rows);

/** One row for each user, and the same one for ever; a run with more users than rows is refused. */
export const unique = <Row>(rows: readonly Row[]): DataPool<Row> => poolOf('unique', rows);

/** Draws rows out of a pool, one run long. */
export const drawerOf = <Row>({ rows, order }: DataPool<Row>): ((place: DrawPlace) => Row) => {
  let drawn = 0;
  return ({ index, random: draw, share: { first, of } }) => {
    switch (order) {
      case 'sequential':
        return rows[(first + of * drawn++) % rows.length] as Row;
      case 'random':
        return rows[Math.floor(draw() * rows.length)] as Row;
      case 'unique':
        return rows[index] as Row;
    }
  };
};
