/**
 * Counted things that a score card is made of. Nothing is scored that was not counted.
 * @module
 */

/** Names of the counts from outside a run. */
export const countedNames = ['techniques', 'defences', 'tests', 'documentation'] as const;

/** How many of all. */
export interface Counted {
  readonly name: (typeof countedNames)[number];
  readonly done: number;
  readonly all: number;
  /** Description of the count and its source. */
  readonly what: string;
}
