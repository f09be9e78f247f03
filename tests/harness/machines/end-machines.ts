/**
 * A watchdog of machines: kills the processes in them and removes them and their hub. The only argument is the hub's hardware address,
 * because another run may have taken the name.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { killTree } from '@catalytic/lab/process-tree';
import { whenOwnerIsGone } from '../watchdog/watchdog.ts';
import { ip, listLinks, listNamespaces, programFile } from './ip.ts';

/** Checks, 20 ms apart: two are enough unless the owner was killed while it made them. */
const looksMax = 100;

const [hardwareAddress = ''] = process.argv.slice(2);

const pidsIn = (namespace: string): readonly number[] =>
  execFileSync(programFile('ip') ?? 'ip', ['netns', 'pids', namespace], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);

/** Removes what is left. @returns whether nothing was left */
const isGone = (): boolean => {
  const links = listLinks();
  const hub = links.find(({ address }) => address === hardwareAddress)?.ifname;
  if (hub === undefined) return true;
  const isOfHub = (name: string): boolean => name.startsWith(`${hub}-`);
  const namespaces = listNamespaces().filter(isOfHub);
  const pids = namespaces.flatMap(pidsIn);
  for (const pid of pids) killTree(pid);
  // A namespace without a name lives as long as its last process and cannot be found again, so the name goes last.
  if (pids.length > 0) return false;
  const cables = links.filter(({ ifname }) => isOfHub(ifname));
  // The hub goes last of all: while it exists, no other run takes the names.
  ip([
    ...cables.map(({ ifname }) => `link del dev ${ifname}`),
    ...namespaces.map((name) => `netns del ${name}`),
    `link del dev ${hub}`,
  ]);
  return false;
};

whenOwnerIsGone(async () => {
  for (let look = 0; look < looksMax; look++) {
    try {
      if (isGone()) return;
    } catch {
      // Something was removed during the check: the next check sees what is left.
    }
    await delay(20);
  }
  throw new Error(`The machines of hub ${hardwareAddress} could not be removed`);
});
