/**
 * The clock that all processes of a machine share.
 * @module
 */

/** Milliseconds on the monotonic clock of the kernel. */
export const sharedMs = (): number => Number(process.hrtime.bigint()) / 1e6;
