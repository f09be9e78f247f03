/**
 * The service under measurement: as it is, of another checkout, or changed by a patch.
 * @module
 */
import { join, resolve } from 'node:path';
import { copyTree } from '../../scripts/tree-copy.ts';
import type { Scope } from '../../tests/harness/scope.ts';
import { folderIn, type Service, type Settings, serviceIn } from '../../tests/harness/service.ts';

/** The root of this checkout. */
export const root = resolve(import.meta.dirname, '../..');

/** The end of a bench, as the scope of the tests' harness. */
export const scopeOf = (stack: AsyncDisposableStack): Scope => ({ after: (clean) => stack.defer(clean) });

/** A temporary folder; the stack removes it. */
export const folderOn = (stack: AsyncDisposableStack): string => folderIn(scopeOf(stack));

/** Starts a service with a new data folder; the stack ends it and removes the folder. @param prefixCommand words to put before its command */
export const startServiceOn = (
  stack: AsyncDisposableStack,
  settings: Settings,
  prefixCommand: readonly string[] = [],
): Promise<Service> => serviceIn(scopeOf(stack), settings, prefixCommand);

/** Its process, or that of its supervisor. */
export const pidOf = ({ process }: Service): number => process.pid ?? 0;

/** Words that tie a command to a CPU core (util-linux). */
export const onCore = (core: number): readonly string[] => ['taskset', '-c', String(core)];

/** Words that run the service of another checkout instead of this one. */
export const insteadOf = (checkout: string): readonly string[] => [
  'sh',
  '-c',
  `exec "$1" '${join(resolve(checkout), 'packages/server/src/main.ts')}' "$3"`,
  'sh',
];

/** A copy of this tree with a patch applied; the stack removes it. @returns its folder, for {@link insteadOf} */
export const patchedCopy = (stack: AsyncDisposableStack, patch: string): string =>
  stack.adopt(copyTree(root, resolve(patch)), (copy) => copy.remove()).path;

/** A patch of `bench/targets`. */
export const targetPatch = (name: string): string => join(root, 'bench/targets', name);
