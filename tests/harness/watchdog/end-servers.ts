/**
 * A watchdog of servers: kills every process whose command names a folder, with its descendants, and removes the folder. The folder is the
 * only argument.
 * @module
 */
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { killTree, listProcesses } from '@catalytic/lab/process-tree';
import { whenOwnerIsGone } from './watchdog.ts';

/** Checks, 20 ms apart: one is enough unless a server was being started or the system is slow to remove a killed one. */
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
