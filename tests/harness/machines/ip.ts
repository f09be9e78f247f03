/**
 * The programs that make machines out of network namespaces, and the names that distinguish these from the rest of this system.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { usualProgramPlaces } from '../find-program.ts';

/** Longest time for one step; each takes milliseconds. */
const stepMsMax = 10_000;

/** Name of a hub: a bridge of this system. Its machines, and the hub's end of the cable to each, are called `NAME-1`, `NAME-2` and so on. */
export const hubName = (subnet: number): string => `catalytic${subnet}`;

/** Where a program is; `undefined` where there is none. */
export const programFile = (name: string): string | undefined =>
  usualProgramPlaces.path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));

/**
 * Runs `ip` with each line of words, in order, and stops at the first that fails.
 * @param namespace where it runs; in the system's own unless given
 * @throws Error with what `ip` said
 */
export const ip = (lines: readonly string[], namespace?: string): string =>
  execFileSync(
    programFile('ip') ?? 'ip',
    [...(namespace === undefined ? [] : ['-n', namespace]), '-json', '-batch', '-'],
    {
      input: lines.map((line) => `${line}\n`).join(''),
      encoding: 'utf8',
      env: { LC_ALL: 'C' },
      timeout: stepMsMax,
    },
  );

/** A network interface of this system. */
export interface Link {
  readonly ifname: string;
  readonly address: string;
}

/** The network interfaces of this system. */
export const listLinks = (): readonly Link[] => JSON.parse(ip(['link show'])) as readonly Link[];

/** The network namespaces that have a name. */
export const listNamespaces = (): readonly string[] => {
  const answer = ip(['netns list']).trim();
  return answer === '' ? [] : (JSON.parse(answer) as readonly { readonly name: string }[]).map(({ name }) => name);
};
