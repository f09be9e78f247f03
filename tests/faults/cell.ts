/**
 * A cell of the matrix: the results of all rounds of one fault at one moment, as the results file holds them.
 * @module
 */
import { hasNetworks } from './deployment.ts';
import type { Round } from './round.ts';

/** Median and longest, milliseconds. */
interface Spread {
  readonly median: number;
  readonly max: number;
}

/** A cell's results. */
export interface Cell {
  readonly fault: string;
  readonly moment: string;
  /** Workers of each machine. */
  readonly machines: readonly number[];
  readonly redis: boolean;
  /** Whether each machine had a separate network. */
  readonly namespaces: boolean;
  readonly lease_ms: number;
  readonly rounds: number;
  readonly seeds: readonly [number, number];
  readonly violations: number;
  readonly live_refused: number;
  readonly forgotten: number;
  readonly crashes: number;
  readonly requests_with_dead_token: number;
  /** Modes of the guards, and those of these requests that went to APIs behind them; absent where there were none. */
  readonly guards?: readonly string[];
  readonly requests_with_dead_token_at_guards?: number;
  readonly answers: Readonly<Record<string, number>>;
  readonly answer_ms: Spread;
  /** Requests, while the fault lasted, to workers that it does not touch. */
  readonly requests: number;
  readonly failed_requests: number;
  /** Time after the fault until a sign-out was as fast as before; `null` where it was not measured. */
  readonly logout_back_ms: Spread | null;
  /** Rounds in which no sign-out became as fast while the recovery was measured. */
  readonly logout_not_back: number;
  /** Time after the fault until every worker served and was current again; absent in results of former versions. */
  readonly ready_ms?: Spread;
  /** Departures from what the fault expects: an answer, a line of the log, a worker that accepts or does not; absent as above. */
  readonly unexpected?: number;
  /** The assumption that the fault breaks; absent where it breaks none. */
  readonly breaks?: string;
  /** Answers to questions about the two tokens: statuses and codes; absent as above. */
  readonly verify_answers?: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly evidence: readonly string[];
}

/** The fault, the moment and the deployment of a cell. */
export interface CellName {
  readonly fault: string;
  readonly moment: string;
  readonly machines: readonly number[];
  readonly redis: boolean;
  readonly inNamespaces?: boolean;
  readonly guards?: readonly string[];
  readonly leaseMs: number;
  readonly breaks?: string | undefined;
}

const spread = (times: readonly number[]): Spread => {
  const sorted = times.toSorted((a, b) => a - b);
  return { median: Math.round(sorted[sorted.length >> 1] ?? 0), max: Math.round(sorted.at(-1) ?? 0) };
};

/** The results of several rounds, summed up. */
export const summarise = (
  { fault, moment, machines, redis, inNamespaces, guards, leaseMs, breaks }: CellName,
  rounds: readonly Round[],
  seconds: number,
): Cell => {
  const sum = (of: (round: Round) => number): number => rounds.reduce((total, round) => total + of(round), 0);
  const answers: Record<string, number> = {};
  for (const { answer } of rounds)
    answers[answer === 0 ? 'none' : answer] = (answers[answer === 0 ? 'none' : answer] ?? 0) + 1;
  const verifyAnswers: Record<string, number> = {};
  for (const { counts } of rounds)
    for (const [name, count] of Object.entries(counts)) verifyAnswers[name] = (verifyAnswers[name] ?? 0) + count;
  const backMs = rounds.flatMap(({ logoutBackMs }) => logoutBackMs ?? []);
  return {
    fault,
    moment,
    machines,
    redis,
    namespaces: inNamespaces === true && hasNetworks(),
    lease_ms: leaseMs,
    rounds: rounds.length,
    seeds: [rounds[0]?.seed ?? 0, rounds.at(-1)?.seed ?? 0],
    violations: sum((round) => round.violations.length),
    live_refused: sum((round) => round.liveRefused.length),
    forgotten: sum(({ forgotten }) => forgotten),
    crashes: sum(({ crashes }) => crashes),
    requests_with_dead_token: sum(({ deadChecks }) => deadChecks),
    ...(guards === undefined
      ? {}
      : { guards, requests_with_dead_token_at_guards: sum(({ guardDeadChecks }) => guardDeadChecks) }),
    answers,
    answer_ms: spread(rounds.map(({ answerMs }) => answerMs)),
    requests: sum(({ requests }) => requests),
    failed_requests: sum(({ failed }) => failed.length),
    logout_back_ms: backMs.length === 0 ? null : spread(backMs),
    logout_not_back: redis ? rounds.length - backMs.length : 0,
    ready_ms: spread(rounds.map(({ readyMs }) => readyMs)),
    unexpected: sum((round) => round.unexpected.length),
    ...(breaks === undefined ? {} : { breaks }),
    verify_answers: verifyAnswers,
    seconds: Math.round(seconds),
    evidence: rounds.flatMap(({ seed, violations, liveRefused, failed, unexpected }) =>
      [violations, liveRefused, failed, unexpected].flatMap((lines) =>
        lines.slice(0, 5).map((text) => `seed ${seed}: ${text}`),
      ),
    ),
  };
};
