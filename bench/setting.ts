/**
 * What benches share: a real PostgreSQL with a database in it, the machine in figures, work spread over a few hands, the end of a run.
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describeMachine } from '../packages/lab/src/probes/machine.ts';
import { takeMeasuringTurn } from '../packages/lab/src/probes/measuring-turn.ts';
import { createRoleStatement } from '../packages/server/src/stores/postgres/preflight.ts';
import { query, type TextRow } from '../tests/harness/postgres/query.ts';
import { type Postgres, startPostgres } from '../tests/harness/postgres.ts';
import type { Conditions } from './cpu.ts';

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
export const machine = () => {
  const { cores, memoryGib, node } = describeMachine();
  return { cores, memoryGib, node };
};

/** Head of a report in Markdown: what was run, when, and where. @param command without `node bench/` */
export const reportHead = (title: string, command: string): string => {
  const { cores, cpu, memoryGib, node } = describeMachine();
  const day = new Date().toISOString().slice(0, 10);
  return `# ${title}\n\n\`node bench/${command}\`, ${day}; ${cores} cores of ${cpu}, ${memoryGib} GiB, Node ${node}; generator and target share them.`;
};

/** Progress, on stderr. */
export const say = (text: string): boolean => process.stderr.write(`${text}\n`);

/** Prints the figures and nothing else on stdout. */
export const report = (figures: object): boolean => process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);

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

/** Words before the command of a service that run the service of another checkout instead. */
export const insteadOf = (checkout: string): readonly string[] => [
  'sh',
  '-c',
  `exec "$1" '${join(resolve(checkout), 'packages/server/src/main.ts')}' "$3"`,
  'sh',
];

/** A number from the command line. @throws Error that names the option, when it is none or out of bounds */
export const numberOption = (name: string, text: string, { min = 1, max }: { min?: number; max: number }): number => {
  const number = Number(text);
  if (number >= min && number <= max) return number;
  throw new Error(`Cannot take --${name} ${text}: give a number from ${min} to ${max}`);
};

/** How a run ended. */
export interface Ending {
  /** File for the result; absent: standard output, before the table. */
  readonly out: string | undefined;
  readonly figures: object;
  /** For people, in Markdown. */
  readonly table: string;
  readonly conditions: Conditions;
  /** Aims that were missed, as sentences. */
  readonly missed?: readonly string[];
}

/**
 * Writes the result, prints the table and says whether it counts. The exit code tells scripts: 0 fine, 2 an aim was missed, 3 invalid, as
 * those of the lab.
 */
export const finish = ({ out, figures, table, conditions, missed = [] }: Ending): void => {
  const result = { machine: machine(), at: new Date().toISOString(), conditions, missed, ...figures };
  if (out === undefined) report(result);
  else {
    mkdirSync(dirname(resolve(out)), { recursive: true });
    writeFileSync(out, `${JSON.stringify(result, null, 2)}\n`);
  }
  process.stdout.write(`\n${table}\n`);
  for (const sentence of missed) process.stdout.write(`missed: ${sentence}\n`);
  const { isValid, strangers_percent: percent } = conditions;
  process.stdout.write(
    isValid
      ? `valid: other processes had ${percent} % of the machine's CPU time\n`
      : `invalid: other processes had ${percent} % of the machine's CPU time, more than 10; stop them and measure again\n`,
  );
  if (out !== undefined) process.stdout.write(`result: ${out}\n`);
  process.exitCode = isValid ? Math.min(2, missed.length * 2) : 3;
};
