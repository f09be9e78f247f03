/**
 * A database as the protocol assumes it: one linearizable primary. Its transaction ids become visible out of order and are used again
 * after a crash if nothing durable carried them, as in PostgreSQL.
 * @module
 */
import type { JournalPage } from '@catalytic/guard/journal-source';
import type { MemberId } from '@catalytic/protocol/ids';
import type { JournalEntry } from '@catalytic/protocol/journal';
import type { Member } from '../../packages/server/src/features/revocation/store.ts';

/** Where a reader stands: the largest id it has applied, and the ids below it that were still in progress. */
export interface Cursor {
  readonly newest: number;
  readonly open: readonly number[];
}

interface Snapshot {
  readonly next: number;
  readonly inProgress: readonly number[];
}

const covers = ({ next, inProgress }: Snapshot, id: number): boolean => id < next && !inProgress.includes(id);

/** Every method is one transaction, at the moment of the call. */
export class SimulatedDatabase {
  /** Counts what cuts every connection: a crash, a failover. */
  connections = 0;
  #timeline = 1;
  #nextId = 1;
  #loggedId = 0;
  #durableId = 0;
  readonly #inProgress = new Set<number>();
  readonly #journal: { readonly id: number; readonly entry: JournalEntry }[] = [];
  readonly #rows = new Map<MemberId, Member>();
  /** Undoes what is visible but not durable yet, the youngest last. */
  readonly #volatile: (() => void)[] = [];

  register(id: MemberId): void {
    this.#commit();
    this.#rows.set(id, { id, state: 'live', applied: null });
  }

  read(member: MemberId, cursor: Cursor = { newest: 0, open: [] }): JournalPage<Cursor> {
    const snapshot: Snapshot = { next: this.#nextId, inProgress: [...this.#inProgress] };
    const rows = this.#journal.filter(({ id }) => id > cursor.newest || cursor.open.includes(id));
    const newest = Math.max(cursor.newest, ...rows.map(({ id }) => id));
    return {
      identity: `timeline ${this.#timeline}`,
      isPrimary: true,
      isMember: this.#rows.get(member)?.state === 'live',
      members: this.#rows.size,
      entries: rows.map(({ entry }) => entry),
      cursor: { newest, open: snapshot.inProgress.filter((id) => id < newest) },
      applied: JSON.stringify(snapshot),
    };
  }

  /** What a replica answers that lags, at its worst: no entry, and a cursor that no page has covered. */
  readReplica(member: MemberId): JournalPage<Cursor> {
    const page = this.read(member, { newest: this.#nextId, open: [] });
    return { ...page, isPrimary: false, isMember: true, cursor: { newest: this.#nextId - 1, open: [] } };
  }

  /** Not waited for by whoever reads the row: a crash may take it back. */
  acknowledge(id: MemberId, applied: string): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    this.#log();
    this.#rows.set(id, { ...row, applied });
    this.#volatile.push(() => this.#rows.set(id, row));
  }

  list(): readonly Member[] {
    return [...this.#rows.values()];
  }

  markLeaving(ids: readonly MemberId[]): void {
    this.#commit();
    for (const id of ids) {
      const row = this.#rows.get(id);
      if (row !== undefined) this.#rows.set(id, { ...row, state: 'leaving' });
    }
  }

  remove(ids: readonly MemberId[]): void {
    this.#commit();
    for (const id of ids) this.#rows.delete(id);
  }

  restore(entries: readonly JournalEntry[]): void {
    this.#commit();
    for (const entry of entries)
      if (!this.#journal.some(({ entry: { id } }) => id === entry.id))
        this.#journal.push({ id: this.#loggedId, entry });
  }

  /** Begins a transaction that will write an entry. */
  begin(): number {
    const id = this.#log();
    this.#inProgress.add(id);
    return id;
  }

  /** Commits it: durable and visible from now on. */
  commit(id: number, entry: JournalEntry): void {
    this.#inProgress.delete(id);
    this.#journal.push({ id, entry });
    this.#flush();
  }

  covers(applied: string, position: string): boolean {
    return covers(JSON.parse(applied) as Snapshot, Number(position));
  }

  /** Transactions that leave no trace, so that a crash gives their ids back. */
  waste(count: number): void {
    this.#nextId += count;
  }

  /** Stops and starts again, on the same timeline. */
  crash(): void {
    this.connections++;
    for (const undo of this.#volatile.splice(0).reverse()) undo();
    this.#inProgress.clear();
    this.#loggedId = this.#durableId;
    this.#nextId = this.#durableId + 1;
  }

  /** A synchronous standby takes over. */
  failOver(): void {
    this.crash();
    this.#timeline++;
  }

  #log(): number {
    this.#loggedId = this.#nextId++;
    return this.#loggedId;
  }

  #commit(): void {
    this.#log();
    this.#flush();
  }

  /** Everything logged so far is durable. */
  #flush(): void {
    this.#durableId = this.#loggedId;
    this.#volatile.length = 0;
  }
}
