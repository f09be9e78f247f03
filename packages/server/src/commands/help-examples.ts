/**
 * The end of the help of every command: examples to copy, and exit codes.
 * @module
 */
import type { Command } from 'commander';

/** A command line without the program's name, and what it does. */
export type Example = readonly [line: string, effect: string];

/** Exit codes that mean the same in every command. */
const usualExitCodes: readonly (readonly [number, string])[] = [
  [0, 'done'],
  [1, 'refused, or failed: the reason is on standard error'],
  [2, 'the command line, a setting or the state of the data is wrong: the message says what to do'],
];

/**
 * How the program is called from the repository. Silently, so that a script can read the output.
 */
const program = 'npm run -s catalytic --';

/** Examples with their effects in a column. */
const exampleLines = (examples: readonly Example[]): string => {
  const width = Math.max(...examples.map(([line]) => line.length));
  return examples.map(([line, effect]) => `  ${program} ${line.padEnd(width)}   ${effect}`).join('\n');
};

/**
 * Adds examples and exit codes to the help of a command.
 * @param exitCodes where they differ from the usual ones
 */
export const addHelpExamples = (
  command: Command,
  examples: readonly Example[],
  exitCodes: readonly (readonly [number, string])[] = usualExitCodes,
): Command =>
  command.addHelpText(
    'after',
    `\nExamples:\n${exampleLines(examples)}\n\nExit codes:\n${exitCodes.map(([code, meaning]) => `  ${code}  ${meaning}`).join('\n')}`,
  );
