/**
 * A watchdog of machines: kills whatever runs in them and removes them and their hub. Run with the hub's hardware address as the one
 * argument, because a name may have become somebody else's.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { killTree } from '../../../packages/lab/src/faults/process-tree.ts';
import { whenOwnerIsGone } from '../watchdog/watchdog.ts';
import { ip, listLinks, listNamespaces, programFile } from './ip.ts';

/** Looks, 20 ms apart: two are enough unless the owner was killed in the middle of making them. */
const looksMax = 100;

const [hardwareAddress = ''] = process.argv.slice(2);

const pidsIn = (namespace: string): readonly number[] =>
  execFileSync(programFile('ip') ?? 'ip', ['netns', 'pids', namespace], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);

/** Removes what there is. Returns whether there was nothing. */
const isGone = (): boolean => {
  const links = listLinks();
  const hub = links.find(({ address }) => address === hardwareAddress)?.ifname;
  if (hub === undefined) return true;
  const isOfHub = (name: string): boolean => name.startsWith(`${hub}-`);
  const namespaces = listNamespaces().filter(isOfHub);
  const pids = namespaces.flatMap(pidsIn);
  for (const pid of pids) killTree(pid);
  // A namespace without a name lives on with its last process, and could not be found again: so the name goes last.
  if (pids.length > 0) return false;
  const cables = links.filter(({ ifname }) => isOfHub(ifname));
  // The hub last of all: as long as it is there, nobody else takes the names.
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
      // Something went while it was looked at: the next look sees what is left.
    }
    await delay(20);
  }
  throw new Error(`The machines of hub ${hardwareAddress} could not be removed`);
});
