/**
 * Files that a bench with very many connections may open.
 * @module
 */
import { readMachine } from '../../packages/server/src/preflight/read-machine.ts';
import { RefusedError } from './options.ts';

/** Files that a process needs beside the connections. */
const filesBeside = 300;

/** @throws {RefusedError} when a process may not open so many connections, with the command that allows it */
export const assertFiles = (connections: number): void => {
  const { filesMax = Number.POSITIVE_INFINITY } = readMachine();
  const needed = connections + filesBeside;
  if (filesMax < needed)
    throw new RefusedError(
      `Cannot open ${connections} connections: ${filesMax} open files are allowed, ${needed} needed; run "ulimit -n ${needed}" (as root beyond "ulimit -Hn"), or give fewer --connections`,
    );
};
