/**
 * Shared by the commands of an administrator: they work on the database directly, beside a server
 * that may be running.
 * @module
 */
import { systemClocks } from '@catalytic/guard/clocks';
import { Command, Option as Flag, InvalidArgumentError } from 'commander';
import { parseExpiry } from '../features/admin-keys/rules.ts';
import type { Barrier, Propagation } from '../features/revocation/barrier.ts';
import { untilApplied } from '../features/revocation/until-applied.ts';
import { tenantNamePattern } from '../features/tenants/rules.ts';
import type { Stores } from '../stores/stores.ts';
import { addConfigFlags, configFrom, type Fields } from './config-flags.ts';
import { addHelpExamples, type Example } from './help-examples.ts';
import { withStores } from './with-stores.ts';

/** The parts that use cases work with, as a command provides them. */
export interface AdminContext extends Stores {
  readonly nowMs: () => number;
  /** Waits until a running service has applied what was revoked. */
  readonly barrier: Pick<Barrier, 'settle'>;
}

/** Opens the database for one command and does the work. */
export const administer = async <Result>(
  command: Command,
  work: (context: AdminContext) => Promise<Result>,
): Promise<Result> => {
  const config = configFrom(command);
  const onProblem = (message: string): void => void process.stderr.write(`catalytic: ${message}\n`);
  return withStores(config, (stores) => {
    const parts = { members: stores.members, clocks: systemClocks, onProblem };
    return work({ ...stores, nowMs: Date.now, barrier: { settle: (recorded) => untilApplied(parts, recorded) } });
  });
};

/** Prints the result of a command: as JSON for a script, or as lines for a person. */
export const print = (isJson: boolean | undefined, value: unknown, lines: readonly string[]): void => {
  process.stdout.write(isJson === true ? `${JSON.stringify(value)}\n` : lines.map((line) => `${line}\n`).join(''));
};

/** Columns of a table for people, each as wide as its widest cell. */
export const table = (rows: readonly (readonly string[])[]): readonly string[] => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
};

/** The outcome of a revocation, for a person. */
export const propagationText = (result: Propagation): string =>
  result.propagation === 'complete'
    ? 'No process accepts a token from before any more.'
    : `Some process may accept a token from before for ${result.completeWithinMs} ms more.`;

/** The outcome of a revocation, for a script: the fields that the API answers. */
export const propagationFields = (result: Propagation): Readonly<Record<string, unknown>> =>
  result.propagation === 'complete'
    ? { propagation: 'complete' }
    : { propagation: 'pending', complete_within_ms: result.completeWithinMs };

const expiryOf = (text: string): number => {
  const ms = parseExpiry(text, Date.now());
  if (ms === undefined) throw new InvalidArgumentError('Give hours or days, such as 12h or 90d, at most ten years.');
  return ms;
};

/** The flag that says when a new key ends; its value is milliseconds since 1970. */
export const expiryFlag = (): Flag =>
  new Flag('--expires <time>', 'when it stops working: 12h, 90d; default: never').argParser(expiryOf);

/** A time in a table, milliseconds since 1970. */
export const timeText = (ms: number | null): string => (ms === null ? '–' : new Date(ms).toISOString());

/** Parses the name of a tenant. @throws {InvalidArgumentError} */
export const tenantName = (text: string): string => {
  if (new RegExp(tenantNamePattern).test(text)) return text;
  throw new InvalidArgumentError('A tenant name has lower-case letters, digits and dashes, at most 63.');
};

/**
 * A group of commands.
 * @param examples command lines without the program's name, and what they do
 */
export const adminGroup = (name: string, description: string, examples: readonly Example[]): Command =>
  addHelpExamples(
    new Command(name).description(
      `${description} Works on the database directly; a running server sees every change at once.`,
    ),
    examples,
  );

/** A command of a group. @param fields options of the configuration that it takes */
export const adminCommand = (
  group: Command,
  usage: string,
  description: string,
  fields: Fields = ['dataDir', 'databaseUrl'],
): Command => {
  const command = group
    .command(usage)
    .description(description)
    .addOption(new Flag('--json', 'print JSON, for scripts'));
  return addConfigFlags(command, fields);
};
