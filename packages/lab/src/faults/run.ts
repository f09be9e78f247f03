/**
 * Runs a command, so that a killed server can be started again or a store emptied.
 * @module
 */
import type { CommandFault } from './fault.ts';

/** The fault `run`. */
export const run: CommandFault = {
  on: 'command',
  usage: 'run',
  parse: (argument) => (argument === undefined ? (command) => command.run() : undefined),
};
