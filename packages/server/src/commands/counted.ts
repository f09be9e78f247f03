/**
 * Numbers of things, for people.
 * @module
 */

/** The number with its noun, in the plural unless it is one: `1 account`, `2 accounts`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
