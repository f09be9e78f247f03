/**
 * The users of the open model: each start takes one that is idle, and waits for one when none is.
 * The wait belongs to the latency.
 * @module
 */

/**
 * Starts that may wait for a user, for each user: beyond it the target is so far behind that its
 * backlog says nothing more.
 */
export const waitingPerUser = 20;

/** A bounded number of users that are lent out. */
export class UserPool<User> {
  readonly #idle: User[];
  readonly #waiting: ((user: User) => void)[] = [];
  /** First of those that wait; the list is cut now and then and not at each turn. */
  #next = 0;
  readonly #waitingMax: number;

  constructor(users: readonly User[]) {
    this.#idle = [...users].reverse();
    this.#waitingMax = users.length * waitingPerUser;
  }

  /** Whether one more start can be taken on. */
  get hasRoom(): boolean {
    return this.#waiting.length - this.#next < this.#waitingMax;
  }

  /** Lends a user for as long as the act takes. */
  async lend(act: (user: User) => Promise<unknown>): Promise<void> {
    const user = this.#idle.pop() ?? (await new Promise<User>((resolve) => this.#waiting.push(resolve)));
    try {
      await act(user);
    } finally {
      this.#return(user);
    }
  }

  #return(user: User): void {
    const next = this.#waiting[this.#next];
    if (next === undefined) {
      this.#idle.push(user);
      return;
    }
    this.#next += 1;
    if (this.#next > 1000) this.#waiting.splice(0, this.#next);
    if (this.#next > 1000) this.#next = 0;
    next(user);
  }
}
