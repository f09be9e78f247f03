/**
 * A limit on log lines of one kind: a storm of requests must not become a storm of lines.
 * @module
 */

/** Lines of one kind in a second; further ones would only repeat them. */
const linesPerSecondMax = 10;
const secondMs = 1000;

interface Kind {
  written: number;
  leftOut: number;
}

/** Limits lines by kind. */
export interface LineLimit {
  /**
   * Whether a line of this kind may be written now; else counts it.
   * @param kind one of a small set: each takes memory
   */
  allows(kind: string): boolean;
  /** Reports the lines left out so far, and stops. */
  close(): void;
}

/**
 * Starts to limit. Without lines it runs no timer.
 * @param tell called once a second for each kind that lost lines
 */
export const limitLines = (tell: (kind: string, leftOut: number) => void): LineLimit => {
  const kinds = new Map<string, Kind>();
  let timer: NodeJS.Timeout | undefined;
  const nextSecond = (): void => {
    timer = undefined;
    for (const [kind, { leftOut }] of kinds) if (leftOut > 0) tell(kind, leftOut);
    kinds.clear();
  };
  return {
    allows: (kind) => {
      timer ??= setTimeout(nextSecond, secondMs).unref();
      let counted = kinds.get(kind);
      if (counted === undefined) {
        counted = { written: 0, leftOut: 0 };
        kinds.set(kind, counted);
      }
      if (counted.written < linesPerSecondMax) {
        counted.written++;
        return true;
      }
      counted.leftOut++;
      return false;
    },
    close: () => {
      clearTimeout(timer);
      nextSecond();
    },
  };
};
