/**
 * Faults and their subjects.
 * @module
 */
import type { CommandUnderFault } from './command-under-fault.ts';
import type { ProcessUnderFault } from './process-under-fault.ts';
import type { FaultProxy } from './proxy.ts';

/** Something that can be done to a `Subject`. */
interface FaultOn<Kind extends string, Subject, Done = void> {
  readonly on: Kind;
  /** How its argument is written, for the sentence that refuses another one. */
  readonly usage: string;
  /**
   * Reads the argument behind `=`.
   * @returns the function that carries the fault out, at once or until its promise ends;
   *   `undefined` when the fault does not take the argument
   */
  parse(argument: string | undefined): ((subject: Subject) => Done) | undefined;
}

/** A fault of a process. */
export type ProcessFault = FaultOn<'process', ProcessUnderFault>;
/** A fault of a connection. */
export type ProxyFault = FaultOn<'proxy', FaultProxy>;
/** A fault that is a command of the user's. */
export type CommandFault = FaultOn<'command', CommandUnderFault, Promise<void>>;
/** Any fault. */
export type Fault = ProcessFault | ProxyFault | CommandFault;

/** A fault that takes no argument. */
export const processFault = (usage: string, act: (subject: ProcessUnderFault) => void): ProcessFault => ({
  on: 'process',
  usage,
  parse: (argument) => (argument === undefined ? act : undefined),
});
