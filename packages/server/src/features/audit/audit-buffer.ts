/**
 * Rows of the audit trail that belong to no transaction. They are collected and written together,
 * off the path of the requests.
 * @module
 */
import { RowsOfKind } from './rows-of-kind.ts';
import type { AuditSink, AuditStore, NewAuditRow } from './store.ts';

/** Time from the first row of a batch to the statement that writes the batch, milliseconds. */
const writeEveryMs = 200;
/** Most rows in one statement, all kinds together. */
const rowsPerWriteMax = 200;
/** Longest time that {@link AuditBuffer.close} waits for the last rows, milliseconds. */
const closeMsMax = 1000;

/** What the buffer works with. */
export interface AuditBufferParts {
  readonly store: Pick<AuditStore, 'record'>;
  /** A monotonic clock, milliseconds. */
  readonly nowMs: () => number;
  /** Called with the number of acts whose rows were dropped. */
  readonly onDropped: (acts: number) => void;
  /** Called once, when the first rows are dropped. */
  readonly onProblem: (message: string, error?: unknown) => void;
}

/**
 * The buffer. Each kind of act has separate places and a separate rate, so that a flood of one kind
 * displaces no other ({@link RowsOfKind}). A row whose statement fails is dropped, not tried again:
 * the failed commit may have taken place, and no row may be written twice.
 */
export class AuditBuffer implements AuditSink {
  readonly #parts: AuditBufferParts;
  readonly #kinds = new Map<string, RowsOfKind>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #hasTold = false;

  constructor(parts: AuditBufferParts) {
    this.#parts = parts;
  }

  /** See {@link AuditSink.add}. */
  add(row: NewAuditRow): void {
    const name = `${row.event} ${row.reason}`;
    let kind = this.#kinds.get(name);
    if (kind === undefined) {
      kind = new RowsOfKind(row, this.#parts.nowMs());
      this.#kinds.set(name, kind);
    }
    kind.add(row);
    this.#schedule();
  }

  /** Writes the waiting rows, within a bounded time. */
  async close(): Promise<void> {
    const isLate = new Promise<'late'>((resolve) => setTimeout(resolve, closeMsMax, 'late').unref());
    for (;;) {
      this.#writing ??= this.#write(this.#take((kind, rowsMax) => kind.take(rowsMax)));
      if (this.#writing === undefined || (await Promise.race([this.#writing, isLate])) === 'late') break;
    }
    clearTimeout(this.#timer);
  }

  get #isWaiting(): boolean {
    return this.#kinds.values().some(({ waiting }) => waiting > 0);
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#writing !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const nowMs = this.#parts.nowMs();
      this.#writing ??= this.#write(this.#take((kind, rowsMax) => kind.takeAllowed(rowsMax, nowMs)));
      // The rates may allow no row yet.
      if (this.#writing === undefined && this.#isWaiting) this.#schedule();
    }, writeEveryMs);
  }

  /** Takes the rows of one statement, the same share of each kind. */
  #take(takeOf: (kind: RowsOfKind, rowsMax: number) => NewAuditRow[]): readonly NewAuditRow[] {
    const kinds = [...this.#kinds.values()].filter(({ waiting }) => waiting > 0);
    const share = Math.floor(rowsPerWriteMax / Math.max(1, kinds.length));
    return kinds.flatMap((kind) => takeOf(kind, share));
  }

  /** Starts a statement; `undefined` without rows. */
  #write(rows: readonly NewAuditRow[]): Promise<void> | undefined {
    if (rows.length === 0) return undefined;
    return this.#parts.store
      .record(rows)
      .catch((error: unknown) => this.#drop(rows, error))
      .finally(() => {
        this.#writing = undefined;
        if (this.#isWaiting) this.#schedule();
      });
  }

  #drop(rows: readonly NewAuditRow[], error: unknown): void {
    this.#parts.onDropped(rows.reduce((acts, { count = 1 }) => acts + count, 0));
    if (this.#hasTold) return;
    this.#hasTold = true;
    this.#parts.onProblem(
      'Dropping rows of the audit trail: the database does not take them; catalytic_audit_dropped_total counts them, and this is said once',
      error,
    );
  }
}
