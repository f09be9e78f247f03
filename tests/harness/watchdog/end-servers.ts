/**
 * A watchdog of servers: kills whatever names a folder in its command, with all that it has started, and removes the folder. Run with the
 * folder as the one argument.
 * @module
 */
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { killTree, listProcesses } from '../../../packages/lab/src/faults/process-tree.ts';
import { whenOwnerIsGone } from './watchdog.ts';

/** Looks, 20 ms apart: one is enough unless a server was being started or the system is slow to take a killed one away. */
const looksMax = 100;

const [base = ''] = process.argv.slice(2);

const servers = (): readonly number[] =>
  listProcesses()
    .filter(({ pid, command }) => pid !== process.pid && command.includes(`${base}/`))
    .map(({ pid }) => pid);

whenOwnerIsGone(async () => {
  for (let look = 0, found = servers(); look < looksMax && found.length > 0; look++, found = servers()) {
    for (const pid of found) killTree(pid);
    await delay(20);
  }
  rmSync(base, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
});
