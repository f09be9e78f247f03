/**
 * The entries that the reads of this process have brought lately: guards that are nearly up to date
 * get theirs from here, without a query.
 * @module
 */

import type { Coverage, PlacedEntry } from '@catalytic/guard/journal-source';
import type { AppliedRead } from '@catalytic/guard/read-follower';
import type { JournalId, TenantId } from '@catalytic/protocol/ids';
import { covers, includes } from './coverage.ts';

/** Most entries that are kept, and most reads. */
const entriesMax = 20_000;
const readsMax = 2000;

/** The entries that one read has brought. */
interface Kept {
  readonly entries: readonly PlacedEntry[];
  /** What all reads up to this one hold. */
  readonly coverage: Coverage;
  readonly lowest: bigint;
  readonly highest: bigint;
}

const lower = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const higher = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/**
 * Recent entries. They are dropped by whole reads, the oldest read first: by the place of an entry
 * or by its time, one that a late transaction wrote would be lost to a guard that has read past it.
 */
export class RecentEntries {
  #kept: Kept[] = [];
  #count = 0;
  #places = new Map<JournalId, bigint>();
  /** What all reads hold whose entries were dropped; `undefined`: none was. */
  #dropped: Coverage | undefined;
  #coverage: Coverage | undefined;

  /** All that this process has read; `undefined` before its first read. */
  get coverage(): Coverage | undefined {
    return this.#coverage;
  }

  /** Adds the entries of a read, in the turn in which they were applied. */
  add({ page: { entries, coverage }, isWhole }: Pick<AppliedRead, 'page' | 'isWhole'>): void {
    if (isWhole) this.#clear();
    this.#coverage = coverage;
    const [first] = entries;
    if (first === undefined) return;
    if (entries.length > entriesMax) {
      this.#clear();
      this.#dropped = coverage;
      return;
    }
    let [lowest, highest] = [first.place, first.place];
    for (const { place, id } of entries) {
      lowest = lower(lowest, place);
      highest = higher(highest, place);
      this.#places.set(id, place);
    }
    this.#kept.push({ entries, coverage, lowest, highest });
    this.#count += entries.length;
    while (this.#count > entriesMax || this.#kept.length > readsMax) this.#drop();
  }

  /** The place of an entry, if this process has read it lately. */
  placeOf(id: JournalId): bigint | undefined {
    return this.#places.get(id);
  }

  /**
   * Whether the database that this process reads is the one in which a guard was given what it has.
   * Neither name nor place tell that: a database that was put back to an earlier state keeps its
   * name, and uses the places again.
   */
  knows({ history, upTo, id }: Coverage): boolean {
    if (this.#coverage?.history !== history) return false;
    if (id === null) return true;
    const isEndOf = (coverage: Coverage | undefined): boolean => coverage?.id === id && coverage.upTo === upTo;
    return this.#places.get(id) === upTo || isEndOf(this.#coverage) || isEndOf(this.#dropped);
  }

  /**
   * Whether a guard has what this process has not read: it has asked another process before. If a
   * read that was sent afterwards has not caught up, the database was put back.
   */
  isBehind({ history, upTo }: Coverage): boolean {
    return this.#coverage?.history === history && !covers(this.#coverage, upTo);
  }

  /**
   * Every entry that this process has read and that a guard lacks, lowest first.
   * @param has what the guard has
   * @param tenantId the only tenant whose entries it gets; `null`: all
   * @returns `undefined` when entries that it may lack were dropped: it must load everything
   */
  after(has: Coverage, tenantId: TenantId | null): readonly PlacedEntry[] | undefined {
    if (this.#coverage === undefined || !(this.knows(has) || this.isBehind(has))) return undefined;
    if (this.#dropped !== undefined && !includes(has, this.#dropped)) return undefined;
    if (includes(has, this.#coverage)) return [];
    const lacking = this.#kept
      .filter(({ lowest, highest }) => highest > has.upTo || has.except.some((place) => place >= lowest))
      .flatMap(({ entries }) => entries)
      .filter(
        (entry) =>
          !covers(has, entry.place) && (tenantId === null || entry.tenantId === null || entry.tenantId === tenantId),
      );
    return lacking.sort((a, b) => (a.place < b.place ? -1 : a.place > b.place ? 1 : 0));
  }

  #drop(): void {
    const oldest = this.#kept.shift();
    if (oldest === undefined) return;
    this.#count -= oldest.entries.length;
    this.#dropped = oldest.coverage;
    for (const { id, place } of oldest.entries) if (this.#places.get(id) === place) this.#places.delete(id);
  }

  #clear(): void {
    this.#kept = [];
    this.#count = 0;
    this.#places.clear();
    this.#dropped = undefined;
  }
}
