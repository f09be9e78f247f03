/**
 * Explores every state that a model can reach, and finds a shortest way to a state that must not be.
 * @module
 */

/** A step with the name that a trace shows. */
export interface Step<State> {
  readonly name: string;
  readonly next: State;
}

/** What is explored. */
export interface Model<State> {
  readonly initial: State;
  readonly stepsOf: (state: State) => readonly Step<State>[];
  readonly isViolation: (state: State) => boolean;
  /** The same text for equal states, another one for others. */
  readonly encode: (state: State) => string;
}

/** Result of an exploration. */
export interface Exploration {
  readonly states: number;
  /** Names of the steps of the shortest violation; `undefined` when there is none. */
  readonly violation: readonly string[] | undefined;
  /** Whether it was given up because there were more states than it was to look at. */
  readonly isCut: boolean;
}

type Origin = { readonly key: string; readonly name: string } | undefined;

const trace = (cameFrom: ReadonlyMap<string, Origin>, end: string): readonly string[] => {
  const names: string[] = [];
  for (let at = cameFrom.get(end); at !== undefined; at = cameFrom.get(at.key)) names.push(at.name);
  return names.reverse();
};

/** Explores breadth first, so a violation found is a shortest one. Gives up beyond `statesMax` states. */
export const exploreAll = <State>(model: Model<State>, statesMax: number): Exploration => {
  const { initial, stepsOf, isViolation, encode } = model;
  const cameFrom = new Map<string, Origin>([[encode(initial), undefined]]);
  let frontier: (readonly [string, State])[] = [[encode(initial), initial]];
  while (frontier.length > 0) {
    const following: (readonly [string, State])[] = [];
    for (const [key, state] of frontier) {
      if (isViolation(state)) return { states: cameFrom.size, violation: trace(cameFrom, key), isCut: false };
      for (const { name, next } of stepsOf(state)) {
        const nextKey = encode(next);
        if (cameFrom.has(nextKey)) continue;
        cameFrom.set(nextKey, { key, name });
        following.push([nextKey, next]);
      }
    }
    if (cameFrom.size > statesMax) return { states: cameFrom.size, violation: undefined, isCut: true };
    frontier = following;
  }
  return { states: cameFrom.size, violation: undefined, isCut: false };
};
