/**
 * Asking guarded APIs about the tokens of users: live ones beside each call, dead ones from the
 * answer of the logout on until they are refused.
 * @module
 */
import type { ConsistencyChecker, Followed } from '../measures/consistency.ts';
import { type GuardedApi, GuardMeasure, type GuardWord } from '../measures/guard-measure.ts';
import type { ConnectionLimits } from '../targets/connection.ts';
import { Lanes } from '../targets/lanes.ts';
import { problemCodeOf } from '../targets/problem-code.ts';
import type { HeldToken } from './exchange.ts';

/** Connections to each guarded API, at most. */
export const lanesPerGuard = 32;
/**
 * Tokens that are watched at one guarded API at once. Beyond that a dead token is tried once: an API
 * that refuses nothing for seconds must not be stormed.
 */
const watchesMax = 500;
/** Watching goes on for so long after the moment from which on the token must be refused, milliseconds. */
const afterwardsMs = 1000;
/**
 * Pauses between two questions of a watch are a tenth of the time it has taken, within these bounds,
 * milliseconds: so the first refusal is known to a tenth.
 */
const pauseMsMin = 1;
const pauseMsMax = 250;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Asked {
  readonly measure: GuardMeasure;
  readonly lanes: Lanes;
  readonly path: string;
  watches: number;
}

/** Parts that it works with. */
export interface GuardsParts {
  readonly apis: readonly GuardedApi[];
  /** Lease of guards that follow, milliseconds. */
  readonly leaseMs: number;
  readonly limits: ConnectionLimits;
  readonly checker: ConsistencyChecker;
}

/** Asks every guarded API. */
export class Guards {
  readonly #asked: readonly Asked[];
  readonly #checker: ConsistencyChecker;
  #isClosed = false;

  constructor({ apis, leaseMs, limits, checker }: GuardsParts) {
    this.#checker = checker;
    this.#asked = apis.map((api) => {
      const { origin, pathname } = new URL(api.url);
      return {
        measure: new GuardMeasure(api, leaseMs),
        lanes: new Lanes(origin, limits, lanesPerGuard),
        path: pathname,
        watches: 0,
      };
    });
  }

  /** What was counted at each, in the order in which they were named. */
  get measures(): readonly GuardMeasure[] {
    return this.#asked.map(({ measure }) => measure);
  }

  /** Tries a token once at each; resolves when all have answered. */
  async askAll(token: HeldToken): Promise<void> {
    const followed = this.#checker.follow(token.serial);
    await Promise.all(this.#asked.map((asked) => this.#ask(asked, token, followed)));
  }

  /** Tries a token at each from now on until it is refused there. Its logout has been answered. */
  watch(token: HeldToken): void {
    const followed = this.#checker.follow(token.serial);
    for (const asked of this.#asked)
      void (asked.watches < watchesMax
        ? this.#untilRefused(asked, token, followed)
        : this.#ask(asked, token, followed));
  }

  /** Ends all watches and closes the connections. What is under way is not counted. */
  async destroy(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#asked.map(({ lanes }) => lanes.destroy()));
  }

  async #untilRefused(asked: Asked, token: HeldToken, followed: Followed | undefined): Promise<void> {
    const { measure } = asked;
    const { revokedAtMs: fromMs = performance.now(), deadFromMs } = token;
    asked.watches += 1;
    while (!this.#isClosed && performance.now() < measure.mustRefuseFromMs(token) + afterwardsMs) {
      const { word, isBreach, answeredAtMs } = await this.#ask(asked, token, followed);
      if (word === 'refused' && deadFromMs === fromMs) measure.firstRefusal.record(answeredAtMs - fromMs);
      if (word === 'refused' || isBreach) break;
      await sleep(Math.min(pauseMsMax, Math.max(pauseMsMin, (performance.now() - fromMs) / 10)));
    }
    asked.watches -= 1;
  }

  async #ask(
    { measure, lanes, path }: Asked,
    token: HeldToken,
    followed: Followed | undefined,
  ): Promise<{ readonly word: GuardWord; readonly isBreach: boolean; readonly answeredAtMs: number }> {
    const headers = { authorization: `Bearer ${token.value}` };
    const reply = await lanes.send({ method: 'GET', path, headers });
    const { sentAtMs, endedAtMs: answeredAtMs } = reply;
    if (this.#isClosed) return { word: 'other', isBreach: false, answeredAtMs };
    const said =
      'failure' in reply
        ? { code: reply.failure }
        : { status: reply.status, ...(reply.status < 400 ? {} : codeIn(reply.text)) };
    const answer = { ...said, sentAtMs, answeredAtMs };
    const { word, breach } = measure.take(token, answer);
    const { mode, url } = measure.api;
    if (followed !== undefined) this.#checker.observeGuard(followed, `${mode} guard ${url}`, answer, breach);
    return { word, isBreach: breach !== undefined, answeredAtMs };
  }
}

const codeIn = (text: string): { readonly code?: string } => {
  const code = problemCodeOf(text);
  return code === undefined ? {} : { code };
};
