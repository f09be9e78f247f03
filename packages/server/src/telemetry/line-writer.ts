/**
 * Writes lines to a stream whose reader may be gone: a line that cannot be written is dropped and
 * counted, never waited for.
 * @module
 */
import type { Writable } from 'node:stream';

/** Most bytes that wait for a reader; a few thousand lines. */
export const waitingBytesMax = 1024 * 1024;

/**
 * Writes lines, and drops them while too many bytes wait. A pipe or socket takes what fits, and the
 * rest waits here; a file or a terminal takes everything at once.
 */
export class LineWriter {
  readonly #stream: Writable;
  readonly #bytesMax: number;
  #onRelief: (dropped: number) => void = () => {};
  #isDropping = false;
  #untold = 0;
  #dropped = 0;

  /** @param bytesMax most bytes that wait for a reader */
  constructor(stream: Writable, bytesMax = waitingBytesMax) {
    this.#stream = stream;
    this.#bytesMax = bytesMax;
    // The end of the reader must not end the service.
    stream.on('error', () => {
      this.#drop();
    });
  }

  /** Lines dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Sets the action when lines are written again: it receives the number of lines dropped, and may
   * write a line about them.
   */
  onRelief(tell: (dropped: number) => void): void {
    this.#onRelief = tell;
  }

  /** Writes a line, or drops it. */
  write(line: string): void {
    const waiting = this.#stream.writable ? this.#stream.writableLength : Number.POSITIVE_INFINITY;
    // Resumes only with room for many lines: else every other line would report the one dropped
    // before it.
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
