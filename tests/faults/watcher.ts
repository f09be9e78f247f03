/**
 * Asks every worker about tokens in a loop and judges the answers: a token whose revoke has been answered must never be
 * accepted in a request sent after that answer.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Reply } from './pinned-worker.ts';

/** One question and its answer. Times are of one monotonic clock, milliseconds. */
interface Asked {
  /** Label of the respondent. */
  readonly worker: string;
  readonly isGuard: boolean;
  readonly lagMs: number;
  readonly sentMs: number;
  readonly answeredMs: number;
  readonly status: number | undefined;
  readonly code: string | undefined;
}

/** A worker, or an API behind a guard, that is asked about tokens. */
export interface Respondent {
  readonly label: string;
  /** Of an API behind a guard: how long after a revocation's answer it may accept, milliseconds; 0 unless its guard follows. */
  readonly lagMsMax?: number;
  /** 200: it accepts the token; 401: it does not; else it has no verdict. */
  verdict(token: string): Promise<Reply>;
}

/** A token under watch. */
export interface Watched {
  readonly token: string;
  readonly sessionId: string;
  /** Time from which on the token must be refused. */
  deadFromMs: number;
  /** When a revoke was first answered; infinite until then. */
  revokedAtMs: number;
  /** Whether a revoke was ever sent: until then the token must not be refused as revoked. */
  isRevoked: boolean;
  readonly asked: Asked[];
}

/** Time between two questions about one token to one worker, milliseconds. */
const everyMs = 25;
/** Most unanswered questions about one token at one worker. */
const owedMax = 4;

/** Watches tokens on workers until it is stopped. */
export class Watcher implements AsyncDisposable {
  readonly #loops: Promise<void>[] = [];
  readonly #tokens: readonly Watched[];
  #isStopped = false;

  constructor(workers: readonly Respondent[], tokens: readonly Watched[]) {
    this.#tokens = tokens;
    for (const worker of workers) this.add(worker);
  }

  /** Asks this worker too from now on. */
  add(worker: Respondent): void {
    for (const token of this.#tokens) this.#loops.push(this.#loop(worker, token));
  }

  /** Stops asking; resolves when every question has been answered, or its connection is gone. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#loops);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #loop(worker: Respondent, token: Watched): Promise<void> {
    const owed = new Set<Promise<void>>();
    while (!this.#isStopped) {
      if (owed.size < owedMax) {
        const asking = ask(worker, token).finally(() => owed.delete(asking));
        owed.add(asking);
      }
      await delay(everyMs);
    }
    await Promise.all(owed);
  }
}

/** Asks once and records the answer. */
export const ask = async (worker: Respondent, watched: Watched): Promise<void> => {
  const sentMs = performance.now();
  let status: number | undefined;
  let code: string | undefined;
  try {
    const reply = await worker.verdict(watched.token);
    status = reply.status;
    code = reply.body['code'] as string | undefined;
  } catch (error) {
    code = (error as NodeJS.ErrnoException).code ?? String(error);
  }
  watched.asked.push({
    worker: worker.label,
    isGuard: worker.lagMsMax !== undefined,
    lagMs: worker.lagMsMax ?? 0,
    sentMs,
    answeredMs: performance.now(),
    status,
    code,
  });
};

/** From when on the one who was asked must refuse the token, on the monotonic clock. */
const mustRefuseFromMs = ({ deadFromMs, revokedAtMs }: Watched, { lagMs }: Asked): number =>
  lagMs === 0 ? deadFromMs : Math.max(deadFromMs, revokedAtMs + lagMs);

/** Acceptances of a token that must be refused, among its last answers. @param from number of the first answer that counts */
export const forgottenSince = (token: Watched, from: number): number =>
  token.asked.slice(from).filter((one) => one.status === 200 && one.sentMs >= mustRefuseFromMs(token, one)).length;

/** The judgement of a token. */
export interface Findings {
  /** Acceptances after the promise, each as a line. */
  readonly violations: readonly string[];
  /** Refusals of a token that was not revoked. */
  readonly liveRefused: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  /** Questions sent after the promise, and those of them to guarded APIs. */
  readonly deadChecks: number;
  readonly guardDeadChecks: number;
}

const line = ({ worker, isGuard, sentMs, answeredMs, status, code }: Asked, fromMs: number): string =>
  `${isGuard ? '' : 'worker '}${worker}: sent ${(sentMs - fromMs).toFixed(1)} ms after the promise, answered ${(answeredMs - fromMs).toFixed(1)}: ${status} ${code ?? ''}`;

/**
 * Judges all answers.
 * @param mayRefuse codes with which a token that was not revoked may be refused
 */
export const judge = (tokens: readonly Watched[], mayRefuse: readonly string[] = []): Findings => {
  const violations: string[] = [];
  const liveRefused: string[] = [];
  const counts: Record<string, number> = {};
  let deadChecks = 0;
  let guardDeadChecks = 0;
  for (const token of tokens)
    for (const one of token.asked) {
      const deadFromMs = mustRefuseFromMs(token, one);
      const name = one.code ?? String(one.status);
      counts[name] = (counts[name] ?? 0) + 1;
      if (one.sentMs >= deadFromMs) deadChecks += 1;
      if (one.sentMs >= deadFromMs && one.isGuard) guardDeadChecks += 1;
      if (one.status === 200 && one.sentMs >= deadFromMs) violations.push(line(one, deadFromMs));
      if (one.status === 401 && !token.isRevoked && !mayRefuse.includes(one.code ?? '')) liveRefused.push(line(one, 0));
    }
  return { violations, liveRefused, counts, deadChecks, guardDeadChecks };
};
