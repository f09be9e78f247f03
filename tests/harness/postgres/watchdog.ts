/**
 * Ends a test's server and removes its folder when the test's process is gone, however it went: the other end of standard input is in that
 * process, and the system closes it. Run with the folder as the one argument; a process group of its own keeps it out of what is
 * killed with the test.
 * @module
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { killTree, listProcesses } from '../../../packages/lab/src/faults/process-tree.ts';

const [base = ''] = process.argv.slice(2);
const dataDir = join(base, 'data');

/** Servers on the folder. Their command names it, so a number left in a file that another process has by now does no harm. */
const postmasters = (): readonly number[] => {
  const recorded = (): number => {
    try {
      return Number.parseInt(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8'), 10);
    } catch {
      return 0;
    }
  };
  const named = listProcesses().filter(({ command }) => command.includes(`-D ${dataDir} `));
  const first = named.find(({ pid }) => pid === recorded());
  return (first === undefined ? named : [first]).map(({ pid }) => pid);
};

process.stdin.resume();
process.stdin.once('close', () => {
  for (const pid of postmasters()) killTree(pid);
  rmSync(base, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
});
