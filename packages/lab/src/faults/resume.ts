/**
 * Lets a paused process go on: SIGCONT.
 * @module
 */
import { processFault } from './fault.ts';

/** The fault `resume`. */
export const resume = processFault('resume', (subject) => subject.resume());
