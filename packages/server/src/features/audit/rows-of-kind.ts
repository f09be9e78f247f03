/**
 * The waiting rows of one kind of act: equal ones are one row with a count.
 * @module
 */
import { type AuditAct, reasonOf } from './events.ts';
import type { NewAuditRow } from './store.ts';

/** How much of the audit trail one kind of act may take, in each process. */
interface Allowance {
  /** Most different rows that wait. Further acts are counted in one row without names. */
  readonly placesMax: number;
  /** Most rows that are written at once after a quiet time. */
  readonly burstRows: number;
  /** Rows written in a second, in the long run. */
  readonly rowsPerSecond: number;
}

/**
 * An act that costs its client nothing can be repeated without end. It may fill 43,000 rows a day,
 * about 10 MB.
 */
const freeActs: Allowance = { placesMax: 20, burstRows: 100, rowsPerSecond: 0.5 };
/** Any other act costs a hash, and a machine checks fewer passwords than this. */
const costlyActs: Allowance = { placesMax: 1000, burstRows: 1000, rowsPerSecond: 200 };

/** What makes two acts of one kind equal. */
const keyOf = ({ tenantId, accountId, sessionId, subject, by }: NewAuditRow): string =>
  [tenantId, accountId, sessionId, subject, by.actor, by.address].join(' ');

/** Stands for all acts that found no place. No key of {@link keyOf} is empty. */
const othersKey = '';

/** Rows of one event with one reason. A row waits less than a minute: pages rely on that. */
export class RowsOfKind {
  readonly #allowance: Allowance;
  /** In the order in which they are written. */
  readonly #rows = new Map<string, NewAuditRow>();
  #budgetRows: number;
  #budgetMs: number;

  /** @param nowMs monotonic clock */
  constructor({ event, reason }: AuditAct, nowMs: number) {
    this.#allowance = reasonOf(event, reason)?.isFree === true ? freeActs : costlyActs;
    this.#budgetRows = this.#allowance.burstRows;
    this.#budgetMs = nowMs;
  }

  /** Number of rows that wait. */
  get waiting(): number {
    return this.#rows.size;
  }

  /** Adds an act: to the row of its equals, in a new place, or to the row of all others. */
  add(row: NewAuditRow): void {
    const key = keyOf(row);
    const equal = this.#rows.get(key);
    if (equal !== undefined) this.#rows.set(key, { ...equal, count: (equal.count ?? 1) + 1 });
    else if (this.#rows.size < this.#allowance.placesMax) this.#rows.set(key, row);
    else this.#addToOthers(row);
  }

  /** Takes the oldest rows, as many as the rate allows. @param nowMs monotonic clock */
  takeAllowed(rowsMax: number, nowMs: number): NewAuditRow[] {
    const { burstRows, rowsPerSecond } = this.#allowance;
    this.#budgetRows = Math.min(burstRows, this.#budgetRows + ((nowMs - this.#budgetMs) / 1000) * rowsPerSecond);
    this.#budgetMs = nowMs;
    const rows = this.take(Math.min(rowsMax, Math.floor(this.#budgetRows)));
    this.#budgetRows -= rows.length;
    return rows;
  }

  /** Takes the oldest rows, whatever the rate. */
  take(rowsMax: number): NewAuditRow[] {
    const taken = [...this.#rows].slice(0, rowsMax);
    for (const [key] of taken) this.#rows.delete(key);
    return taken.map(([, row]) => row);
  }

  #addToOthers(row: NewAuditRow): void {
    const others = this.#rows.get(othersKey);
    const unnamed = { tenantId: undefined, accountId: undefined, sessionId: undefined, subject: undefined };
    const by = { actor: row.by.actor, address: null, requestId: null };
    const next = others === undefined ? { ...row, ...unnamed, by } : { ...others, count: (others.count ?? 1) + 1 };
    this.#rows.set(othersKey, next);
  }
}
