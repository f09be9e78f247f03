/**
 * Waits for a small server to print where it answers.
 * @module
 */

import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** The first line that a process prints. @throws {Error} when it ends without one */
export const firstLine = async (what: string, output: Readable): Promise<string> => {
  for await (const line of createInterface(output)) return line;
  throw new Error(`${what} ended before it said where it answers`);
};
