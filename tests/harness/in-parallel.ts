/**
 * Work on many items, a few at a time.
 * @module
 */

/** More than the workers of a service under test, so that requests reach each of them. */
const handsUsual = 16;

/** Does something with each item, a few at a time. @returns the results in the order of the items */
export const inParallel = async <Item, Result>(
  items: readonly Item[],
  act: (item: Item, index: number) => Promise<Result>,
  hands = handsUsual,
): Promise<readonly Result[]> => {
  const results = new Array<Result>(items.length);
  const todo = items.entries();
  // All hands take from one iterator.
  const work = async (): Promise<void> => {
    for (const [index, item] of todo) results[index] = await act(item, index);
  };
  await Promise.all(Array.from({ length: hands }, work));
  return results;
};
