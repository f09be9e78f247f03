/**
 * Lines to a stream that may have nobody at its other end: what cannot be written is dropped and counted, never waited for.
 * @module
 */
import type { Writable } from 'node:stream';

/** What may wait for a reader, bytes; about a few thousand lines. */
export const waitingBytesMax = 1024 * 1024;

/**
 * Writes lines, and drops them while too many bytes wait. A pipe or socket takes what fits and the rest waits here; a file or a terminal
 * takes everything at once.
 */
export class LineWriter {
  readonly #stream: Writable;
  readonly #bytesMax: number;
  #onRelief: (dropped: number) => void = () => {};
  #isDropping = false;
  #untold = 0;
  #dropped = 0;

  /** @param bytesMax what may wait for a reader */
  constructor(stream: Writable, bytesMax = waitingBytesMax) {
    this.#stream = stream;
    this.#bytesMax = bytesMax;
    // A reader that has gone must not take the service along.
    stream.on('error', () => {
      this.#drop();
    });
  }

  /** Lines dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Says what to do when lines are written again: it is told how many were dropped meanwhile, and may write a line about it. */
  onRelief(tell: (dropped: number) => void): void {
    this.#onRelief = tell;
  }

  /** Writes a line, or drops it. */
  write(line: string): void {
    const waiting = this.#stream.writable ? this.#stream.writableLength : Number.POSITIVE_INFINITY;
    // Room for many lines first: else every other line would say that the one before it was dropped.
    this.#isDropping = waiting > (this.#isDropping ? this.#bytesMax / 2 : this.#bytesMax);
    if (this.#isDropping) {
      this.#drop();
      return;
    }
    if (this.#untold > 0) {
      const dropped = this.#untold;
      this.#untold = 0;
      this.#onRelief(dropped);
    }
    this.#stream.write(line);
  }

  #drop(): void {
    this.#dropped++;
    this.#untold++;
  }
}

/** The one log of this process. */
export const standardError = new LineWriter(process.stderr);
