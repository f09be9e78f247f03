/**
 * Says once that verdicts are not to be had, and once that they are again: a log line for each request would fill the disk in an outage.
 * @module
 */

/** Reports outages. */
export class Reporter {
  readonly #onProblem: (message: string) => void;
  #problem: string | undefined;
  #isAllowing = false;

  constructor(onProblem: (message: string) => void) {
    this.#onProblem = onProblem;
  }

  /** Why the last verdict was not to be had; `undefined` when it was. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** No verdict was to be had. */
  report(reason: string): void {
    const isNew = this.#problem === undefined;
    this.#problem = reason;
    if (isNew) this.#say(`requests are answered 503: ${reason}`);
  }

  /** A token was accepted although it may have been signed out. */
  allow(): void {
    if (this.#isAllowing) return;
    this.#isAllowing = true;
    this.#say('tokens are accepted that may have been signed out');
  }

  /** A verdict was to be had. */
  clear(): void {
    this.#isAllowing = false;
    if (this.#problem === undefined) return;
    this.#problem = undefined;
    this.#say('the service answers again');
  }

  #say(message: string): void {
    try {
      this.#onProblem(message);
    } catch {
      // The log of the API must not decide about its requests.
    }
  }
}
