/**
 * A service whose requests cost a given share more CPU time than another's: `slower-service.patch`.
 * @module
 */
import { join } from 'node:path';
import { serverMain } from '../../tests/harness/service.ts';
import { root, targetPatch } from '../harness/services.ts';

const node = `'${process.execPath}'`;

/** Shell command that starts the service as it is. */
export const service = `${node} '${serverMain}' serve`;

/**
 * Shell command that starts the service from a copy of the tree, in which requests wait busily for this share of the CPU time that the
 * process has used otherwise. A share, because a fixed time would be another share as soon as the machine's speed changes.
 */
export const slowerService = (share: number): string =>
  `env BUSY_SHARE=${share} ${node} '${join(root, 'scripts/patched.ts')}' --patch '${targetPatch('slower-service.patch')}' -- ${node} packages/server/src/main.ts serve`;
