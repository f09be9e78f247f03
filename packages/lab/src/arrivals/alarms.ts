/**
 * Wakes thousands of sleepers with one timer: a promise and a timer for each wait of 10,000 users
 * cost as much as a request of theirs.
 * @module
 */

/**
 * Slots of a millisecond each. A longer wait goes round more than once and is looked at once a
 * round; most waits are shorter.
 */
const slots = 8192;
const mask = slots - 1;

interface Alarm {
  readonly tick: number;
  readonly ring: () => void;
}

/**
 * Rings at given times, in milliseconds of the monotonic clock: never early, and as late as the
 * event loop is.
 */
export class Alarms {
  readonly #wheel: Alarm[][] = Array.from({ length: slots }, () => []);
  #count = 0;
  /** Every earlier tick has been rung. */
  #from = Math.floor(performance.now());
  #timer: NodeJS.Timeout | undefined;
  #timerTick = Number.POSITIVE_INFINITY;

  /** Rings once at a time; at once, but not before this call has returned, when it has passed. */
  at(dueMs: number, ring: () => void): void {
    const tick = Math.max(Math.ceil(dueMs), this.#from);
    this.#wheel[tick & mask]?.push({ tick, ring });
    this.#count += 1;
    if (tick < this.#timerTick) this.#wakeAt(tick);
  }

  /** Forgets all alarms. */
  clear(): void {
    for (const slot of this.#wheel) slot.length = 0;
    this.#count = 0;
    clearTimeout(this.#timer);
    this.#timerTick = Number.POSITIVE_INFINITY;
  }

  #wakeAt(tick: number): void {
    clearTimeout(this.#timer);
    this.#timerTick = tick;
    this.#timer = setTimeout(() => this.#ring(), Math.max(0, tick - performance.now()));
  }

  #ring(): void {
    this.#timerTick = Number.POSITIVE_INFINITY;
    const nowTick = Math.floor(performance.now());
    // After a stall of more than a round every slot is due once.
    const last = Math.min(nowTick, this.#from + mask);
    const due: Alarm[] = [];
    for (let tick = this.#from; tick <= last; tick++) this.#take(tick & mask, nowTick, due);
    this.#from = nowTick + 1;
    this.#count -= due.length;
    for (const { ring } of due) ring();
    if (this.#count > 0 && this.#timerTick === Number.POSITIVE_INFINITY) this.#wakeAt(this.#next());
    else if (this.#count > 0) this.#wakeAt(Math.min(this.#timerTick, this.#next()));
  }

  /** Moves the due entries out of a slot. */
  #take(index: number, nowTick: number, due: Alarm[]): void {
    const slot = this.#wheel[index];
    if (slot === undefined || slot.length === 0) return;
    let kept = 0;
    for (const alarm of slot)
      if (alarm.tick <= nowTick) due.push(alarm);
      else slot[kept++] = alarm;
    slot.length = kept;
  }

  /**
   * The first tick whose slot holds something: at the worst a round too early, which costs one
   * look.
   */
  #next(): number {
    let tick = this.#from;
    while (this.#wheel[tick & mask]?.length === 0) tick += 1;
    return tick;
  }
}
