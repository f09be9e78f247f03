/**
 * Guesses the word that a mistyped one stands for.
 * @module
 */

/** Letters that may differ: more, and it is another word. */
const differencesMax = 3;
/** Longest word that is compared; the work grows with the square. */
const lettersMax = 100;

/** Letters to insert, remove or replace from one word to the other (Levenshtein). */
const distance = (one: string, other: string): number => {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++)
      next.push(
        Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + Number(one[i - 1] !== other[j - 1])),
      );
    row = next;
  }
  return row.at(-1) ?? 0;
};

/** The same letters in another order, as in p95MaxMs and p95MsMax. */
const lettersOf = (word: string): string => [...word].sort().join('');

/**
 * `; did you mean "p95MsMax"?`, else the words there are.
 * @param known all words that are allowed there; none: nothing is said
 */
export const didYouMean = (word: string, known: readonly string[]): string => {
  const typed = word.slice(0, lettersMax).toLowerCase();
  const [best] = known
    .map((each) => {
      const lower = each.toLowerCase();
      return { each, letters: lettersOf(lower) === lettersOf(typed) ? 0.5 : distance(typed, lower) };
    })
    .filter(({ letters }) => letters <= Math.min(differencesMax, Math.ceil(typed.length / 2)))
    .sort((a, b) => a.letters - b.letters);
  if (best !== undefined) return `; did you mean "${best.each}"?`;
  return known.length === 0 ? '' : `; there are ${known.join(', ')}`;
};
