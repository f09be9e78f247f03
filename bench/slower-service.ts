/**
 * A service whose requests cost more CPU time than another's, by the share that is wanted: `slower-service.patch`.
 * @module
 */

/** Shell command that starts the service, as it is. */
export const service = 'node packages/server/src/main.ts serve';

/**
 * Shell command that starts the service from a copy of the tree, in which requests wait busily for this share of the CPU time that the
 * process has used otherwise. A share, because a fixed time would be another share as soon as the machine's speed changes.
 */
export const slowerService = (share: number): string =>
  `env BUSY_SHARE=${share} node scripts/patched.ts --patch bench/slower-service.patch -- ${service}`;
