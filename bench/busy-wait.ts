/**
 * A service that costs more than another by as much as is wanted: `busy-wait.patch`.
 * @module
 */

/** Shell command that starts the service, as it is. */
export const service = 'node packages/server/src/main.ts serve';

/** Shell command that starts the service from a copy of the tree, in which each request waits busily for so long. */
export const waitingService = (microseconds: number): string =>
  `env BUSY_WAIT_US=${microseconds} node scripts/patched.ts --patch bench/busy-wait.patch -- ${service}`;
