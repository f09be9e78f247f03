/**
 * How the command line says that it was typed wrongly: one hint, and then the reason as the last
 * line.
 * @module
 */
import type { Command } from 'commander';
import { endProcess } from '../containment/at-exit.ts';
import { exitCodes } from '../results/result.ts';
import { shownError } from '../texts/say.ts';

/** Names of options, as commander calls them, that were typed and not left at their default. */
export type Typed = ReadonlySet<string>;

/**
 * Options of a command that were typed: a value from the environment is there for every run, and
 * asks for nothing.
 */
export const typedOf = (command: Command): Typed =>
  new Set(
    command.options
      .map((option) => option.attributeName())
      .filter((name) => command.getOptionValueSource(name) === 'cli'),
  );

const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;

/**
 * Has a command, and those below it, refuse in this way. A mistake on the command line must never
 * look like a verdict on the target.
 */
export const refuseInOneLine = (command: Command): void => {
  command
    .configureOutput({
      outputError: (text, write) => {
        // Commander puts its guess on a separate line behind the reason. The typed words may hold a
        // password.
        const reason = shownError(text.trim().replace(/\s*\n\s*/g, ' '));
        write(`(${pathOf(command)} --help lists the options)\n${reason}\n`);
      },
    })
    .exitOverride((error) => endProcess(error.exitCode === 0 ? exitCodes.passed : exitCodes.usage));
  for (const each of command.commands) refuseInOneLine(each);
};
