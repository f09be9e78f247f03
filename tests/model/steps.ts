/**
 * What the models of the protocol share.
 * @module
 */

/** A list with another value at one place. */
export const set = <Value>(list: readonly Value[], index: number, value: Value): readonly Value[] =>
  list.map((old, at) => (at === index ? value : old));

/** Ticks to wait until a lease of this length has ended everywhere. @param isLongEnough the rule; broken, the wait is shorter than the lease */
export const waitFor = (length: number, isLongEnough: boolean): number => (isLongEnough ? length + 1 : length - 1);
