/**
 * Counts of the pipeline's answers: plain numbers, so that counting costs an answer next to
 * nothing.
 * @module
 */

/**
 * Why a connection was cut: no room for it, room made for another one, no PROXY header where there
 * must be one, no handshake, an answer that the client did not read, too many requests without
 * reading answers.
 */
export const cutReasons = ['full', 'displaced', 'proxy_header', 'handshake', 'unread', 'pipelined'] as const;

/** One of {@link cutReasons}. */
export type CutReason = (typeof cutReasons)[number];

/** Classes of status codes, in the order of {@link RouteCounts}. */
export const statusClasses = ['2xx', '3xx', '4xx', '5xx'] as const;

/** Counts by class of status, in the order of {@link statusClasses}. */
export type RouteCounts = [number, number, number, number];

/** Stands for requests that match no route. */
export const noRoute = 'none';

/** Counts an answer. */
export const countAnswer = (counts: RouteCounts, status: number): void => {
  counts[(Math.trunc(status / 100) - 2) as 0 | 1 | 2 | 3]++;
};

/** The counts of one process: all of its listeners together. */
export class AnswerCounts {
  /** By the pattern of the route's path. */
  readonly routes = new Map<string, RouteCounts>([[noRoute, [0, 0, 0, 0]]]);
  /** By error code. */
  readonly refusals = new Map<string, number>();
  readonly cuts: Record<CutReason, number> = {
    full: 0,
    displaced: 0,
    proxy_header: 0,
    handshake: 0,
    unread: 0,
    pipelined: 0,
  };
  /** Client connections that are open, by listener. */
  readonly open: (() => number)[] = [];
  /** Log lines left out, because there were too many of one kind. */
  linesLeftOut = 0;

  /** The counts of a mounted route. @param path pattern of its path */
  of(path: string): RouteCounts {
    const known = this.routes.get(path);
    if (known !== undefined) return known;
    const counts: RouteCounts = [0, 0, 0, 0];
    this.routes.set(path, counts);
    return counts;
  }

  /** Counts a refusal. @param path pattern of the route's path; absent: no route matched */
  refuse(path: string | undefined, code: string, status: number): void {
    countAnswer(this.routes.get(path ?? noRoute) ?? this.of(noRoute), status);
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
  }

  /** Counts a connection that was cut. */
  cut(reason: CutReason): void {
    this.cuts[reason]++;
  }
}
