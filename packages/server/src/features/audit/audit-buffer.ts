/**
 * Rows of the audit trail that belong to no transaction. They are collected and written together,
 * off the path of the requests.
 * @module
 */
import type { AuditSink, AuditStore, NewAuditRow } from './store.ts';

/** Time from the first row of a batch to the statement that writes the batch, milliseconds. */
const writeEveryMs = 200;
/**
 * Most rows in one statement: that allows 1,000 a second, several times more than passwords can be
 * checked.
 */
const rowsPerWriteMax = 200;
/**
 * Most rows that wait while the database is slow. Further rows are dropped, so that a flood of
 * refused sign-ins cannot fill the memory.
 */
const rowsWaitingMax = 1000;
/** Longest time that {@link AuditBuffer.close} waits for the last rows, milliseconds. */
const closeMsMax = 1000;

/** What the buffer works with. */
export interface AuditBufferParts {
  readonly store: Pick<AuditStore, 'record'>;
  /** Called with the number of dropped rows. */
  readonly onDropped: (rows: number) => void;
  /** Called once, when the first rows are dropped. */
  readonly onProblem: (message: string, error?: unknown) => void;
}

/**
 * The buffer. A row whose statement fails is dropped, not tried again: the failed commit may have
 * taken place, and no row may be written twice.
 */
export class AuditBuffer implements AuditSink {
  readonly #parts: AuditBufferParts;
  #rows: NewAuditRow[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #hasTold = false;

  constructor(parts: AuditBufferParts) {
    this.#parts = parts;
  }

  /** See {@link AuditSink.add}. */
  add(row: NewAuditRow): void {
    if (this.#rows.length >= rowsWaitingMax) {
      this.#drop(1);
      return;
    }
    this.#rows.push(row);
    this.#schedule();
  }

  /** Writes the waiting rows, within a bounded time. */
  async close(): Promise<void> {
    const isLate = new Promise<'late'>((resolve) => setTimeout(resolve, closeMsMax, 'late').unref());
    while (this.#rows.length > 0 || this.#writing !== undefined) {
      this.#writing ??= this.#write();
      if ((await Promise.race([this.#writing, isLate])) === 'late') break;
    }
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#writing !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#writing ??= this.#write();
    }, writeEveryMs);
  }

  async #write(): Promise<void> {
    const rows = this.#rows.splice(0, rowsPerWriteMax);
    try {
      await this.#parts.store.record(rows);
    } catch (error) {
      this.#drop(rows.length, error);
    } finally {
      this.#writing = undefined;
      if (this.#rows.length > 0) this.#schedule();
    }
  }

  #drop(rows: number, error?: unknown): void {
    this.#parts.onDropped(rows);
    if (this.#hasTold) return;
    this.#hasTold = true;
    this.#parts.onProblem(
      'Dropping rows of the audit trail: refused sign-ins come faster than the database takes them; catalytic_audit_dropped_total counts them, and this is said once',
      error,
    );
  }
}
