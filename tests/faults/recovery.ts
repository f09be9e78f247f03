/**
 * The time after a fault until a sign-out is as fast as before.
 * @module
 */
import { goodPassword } from '../harness/client.ts';
import type { PinnedWorker } from './pinned-worker.ts';

/** Sign-outs measured before the fault. */
const usualCount = 5;
/** Sign-outs measured after the fault, at most. */
const triesMax = 20;
/** Consecutive sign-outs that must be fast: a single one may be fast by chance. */
const inRow = 5;
/** A sign-out is fast below this many milliseconds, or below three times the usual. */
const fastMs = 30;

/** Signs throwaway sessions out on one worker. */
export class Recovery {
  readonly #worker: PinnedWorker;
  readonly #tokens: readonly string[];
  #usualMs = 0;

  private constructor(worker: PinnedWorker, tokens: readonly string[]) {
    this.#worker = worker;
    this.#tokens = tokens;
  }

  /** Signs in, and measures how long a sign-out takes while nothing is wrong. */
  static async prepare(worker: PinnedWorker, email: string): Promise<Recovery> {
    const credentials = { email, password: goodPassword, tenant: 'lab' };
    const replies = await Promise.all(
      Array.from({ length: usualCount + triesMax }, () => worker.send('POST', '/auth/login', { body: credentials })),
    );
    const tokens = replies.map(({ body }) => String(body['access_token']));
    const recovery = new Recovery(worker, tokens.slice(usualCount));
    const times: number[] = [];
    for (const token of tokens.slice(0, usualCount)) times.push(await recovery.#signOut(token));
    recovery.#usualMs = times.sort((a, b) => a - b)[usualCount >> 1] ?? 0;
    return recovery;
  }

  /**
   * Signs out one after the other until that is fast again.
   * @param healedMs monotonic clock when the fault was taken away
   * @returns milliseconds since then; `undefined` when it did not become fast
   */
  async measure(healedMs: number): Promise<number | undefined> {
    let backMs: number | undefined;
    let fast = 0;
    for (const token of this.#tokens) {
      const isFast = (await this.#signOut(token)) < Math.max(fastMs, 3 * this.#usualMs);
      if (!isFast) fast = 0;
      else if (fast++ === 0) backMs = performance.now() - healedMs;
      if (fast === inRow) return backMs;
    }
    return undefined;
  }

  /** Duration of a sign-out, milliseconds; infinite unless it was answered with 200. */
  async #signOut(token: string): Promise<number> {
    const sentMs = performance.now();
    const status = await this.#worker.send('POST', '/auth/logout', { token }).then(
      (reply) => reply.status,
      () => 0,
    );
    return status === 200 ? performance.now() - sentMs : Number.POSITIVE_INFINITY;
  }
}
