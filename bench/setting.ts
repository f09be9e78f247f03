/**
 * What benches share: a real PostgreSQL with a database in it, the machine in figures, work spread over a few hands.
 * @module
 */
import { availableParallelism, totalmem } from 'node:os';
import { takeMeasuringTurn } from '../packages/lab/src/probes/measuring-turn.ts';
import { createRoleStatement } from '../packages/server/src/stores/postgres/preflight.ts';
import { query, type TextRow } from '../tests/harness/postgres/query.ts';
import { type Postgres, startPostgres } from '../tests/harness/postgres.ts';

/** A PostgreSQL server with an empty database. */
export interface BenchDatabase extends AsyncDisposable {
  readonly server: Postgres;
  /** As the role that owns the database. */
  readonly url: string;
  /** Runs SQL in the database as the superuser. */
  sql(text: string): Promise<readonly TextRow[]>;
}

/** Longest wait for one statement: filling a table with a million rows takes a while. */
const statementMsMax = 300_000;

/** Starts a server. */
export const startDatabase = async (): Promise<BenchDatabase> => {
  const server = await startPostgres({ settings: { max_connections: 200 } });
  await server.sql(`${createRoleStatement('catalytic')} PASSWORD 'catalytic'`);
  await server.sql('create database catalytic owner catalytic');
  const admin = new URL(server.url);
  admin.pathname = 'catalytic';
  return {
    server,
    url: `postgres://catalytic:catalytic@127.0.0.1:${server.port}/catalytic`,
    sql: (text) => query(admin.href, text, statementMsMax),
    [Symbol.asyncDispose]: () => server.close(),
  };
};

/** The machine that figures are from. */
export const machine = () => ({
  cores: availableParallelism(),
  memoryGib: Math.round(totalmem() / 2 ** 30),
  node: process.version,
});

/** Progress, on stderr. */
export const say = (text: string): boolean => process.stderr.write(`${text}\n`);

/** Prints the figures and nothing else on stdout. */
export const report = (figures: object): boolean => process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);

/** The middle of some figures. */
export const median = (figures: readonly number[]): number =>
  figures.toSorted((a, b) => a - b)[figures.length >> 1] ?? 0;

/** A figure with few digits. */
export const round = (figure: number, digits = 1): number => Number(figure.toFixed(digits));

/** Seconds that something takes, and what it gives. */
export const timed = async <Result>(act: () => Promise<Result>): Promise<readonly [seconds: number, Result]> => {
  const beganMs = performance.now();
  const result = await act();
  return [(performance.now() - beganMs) / 1000, result];
};

/** Does something with each item, a few at a time, and keeps the order. */
export const spread = async <Item, Result>(
  items: readonly Item[],
  hands: number,
  act: (item: Item, index: number) => Promise<Result>,
): Promise<readonly Result[]> => {
  const results = new Array<Result>(items.length);
  const todo = items.entries();
  // All hands take from one iterator.
  const work = async (): Promise<void> => {
    for (const [index, item] of todo) results[index] = await act(item, index);
  };
  await Promise.all(Array.from({ length: hands }, work));
  return results;
};

/** Makes sure that nothing else measures on this machine until this process ends. @throws Error when something does */
export const takeTurn = (): void => {
  const holder = takeMeasuringTurn();
  if (holder !== undefined) throw new Error(`Cannot measure now: process ${holder} is measuring on this machine`);
};
