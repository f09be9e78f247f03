/**
 * When a guard polls: one poll after the other, each as the one before has said.
 * @module
 */
import type { Clocks } from './clocks.ts';

/** How the next poll goes out. */
export interface NextPoll {
  /** Time until then, milliseconds. */
  readonly delayMs: number;
  /**
   * Shortest time from the beginning of one round to that of the next when requests wait for the
   * guard to be current, milliseconds.
   */
  readonly roundMsMin: number;
  readonly isNewConnection: boolean;
  /** Whether the service may hold it. */
  readonly mayBeHeld: boolean;
}

/** Shortest time from the beginning of one round to that of the next, milliseconds. */
const roundMsMin = 5;

/** The next poll goes out at once on the same connection. */
export const atOnce = (mayBeHeld: boolean): NextPoll => ({
  ...{ delayMs: 0, roundMsMin, isNewConnection: false, mayBeHeld },
});

/** Runs the rounds. At most one runs at a time. */
export class PollRounds {
  readonly #clocks: Clocks;
  readonly #run: (poll: NextPoll) => Promise<NextPoll>;
  #next = atOnce(false);
  #beganMs = Number.NEGATIVE_INFINITY;
  #underWay: Promise<void> | undefined;
  #isHurried = false;
  #isStopped = false;
  #cancelNext = (): void => {};

  /** @param run one round; never rejects */
  constructor(clocks: Clocks, run: (poll: NextPoll) => Promise<NextPoll>) {
    this.#clocks = clocks;
    this.#run = run;
  }

  /** Begins the first round. */
  start(): void {
    this.#begin();
  }

  /**
   * The next round is to begin as soon as it may.
   * @returns whether a poll that may be held is under way
   */
  hurry(): boolean {
    if (this.#isHurried || this.#isStopped) return false;
    this.#isHurried = true;
    if (this.#underWay !== undefined) return this.#next.mayBeHeld;
    this.#schedule();
    return false;
  }

  /** No further round begins. Resolves when the one under way is over. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelNext();
    await this.#underWay;
  }

  #begin(): void {
    this.#isHurried = false;
    this.#beganMs = this.#clocks.monoMs();
    this.#underWay = this.#run(this.#next).then((next) => {
      this.#underWay = undefined;
      this.#next = next;
      if (!this.#isStopped) this.#schedule();
    });
  }

  #schedule(): void {
    const soonestMs = this.#beganMs + this.#next.roundMsMin - this.#clocks.monoMs();
    this.#cancelNext();
    this.#cancelNext = this.#clocks.after(Math.max(0, soonestMs, this.#isHurried ? 0 : this.#next.delayMs), () =>
      this.#begin(),
    );
  }
}
