/**
 * Kills a process: SIGKILL, no farewell.
 * @module
 */
import { processFault } from './fault.ts';

/** The fault `kill`. */
export const kill = processFault('kill', (subject) => subject.kill());
