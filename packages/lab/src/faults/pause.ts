/**
 * Pauses a process: SIGSTOP, its connections stay open and nothing answers.
 * @module
 */
import { processFault } from './fault.ts';

/** The fault `pause`. */
export const pause = processFault('pause', (subject) => subject.pause());
