/**
 * Rules: which entries of the journal a coverage holds. Pure.
 * @module
 */
import type { Coverage, PlacedEntry } from '@catalytic/guard/journal-source';

/** Whether it holds the entries at a place of its own history. */
export const covers = ({ upTo, except }: Coverage, place: bigint): boolean => place <= upTo && !except.includes(place);

/** Whether the first holds everything that the second holds. */
export const includes = (first: Coverage, second: Coverage): boolean =>
  first.history === second.history &&
  first.upTo >= second.upTo &&
  first.except.every((place) => place > second.upTo || second.except.includes(place));

/** All that either of two coverages of one history holds. */
export const union = (first: Coverage, second: Coverage): Coverage => {
  if (includes(first, second)) return first;
  if (includes(second, first)) return second;
  const { upTo, id } = first.upTo > second.upTo ? first : second;
  const except = new Set(
    [...first.except, ...second.except].filter((place) => !covers(first, place) && !covers(second, place)),
  );
  return { history: first.history, upTo, id, except: [...except].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)) };
};

/** The part of a coverage that ends with an entry. */
export const endingWith = ({ history, except }: Coverage, { place, id }: PlacedEntry): Coverage => ({
  history,
  upTo: place,
  id,
  except: except.filter((open) => open < place),
});

/** What a guard has that has nothing yet. */
export const nothingOf = (history: string): Coverage => ({ history, upTo: 0n, id: null, except: [] });

/** A coverage as text: two coverages that hold the same have the same text. */
export const coverageText = ({ history, upTo, id, except }: Coverage): string =>
  `${history}.${upTo}.${id ?? ''}.${except.join(',')}`;
