/**
 * A database as the protocol assumes it: one linearizable primary. Its transaction ids become visible out of order and are used again
 * after a crash if nothing durable carried them, as in PostgreSQL. It may be put back to an earlier state, as by a restored backup.
 * @module
 */
import type { Coverage, JournalPage, PlacedEntry } from '@catalytic/guard/journal-source';
import type { JournalId, MemberId } from '@catalytic/protocol/ids';
import type { JournalEntry } from '@catalytic/protocol/journal';
import type { PageRequest } from '../../packages/server/src/features/guards/store.ts';
import type { Member } from '../../packages/server/src/features/revocation/store.ts';

/** Where a reader stands: the largest id it has applied, and the ids below it that were still in progress. */
export interface Cursor {
  readonly newest: number;
  /** An entry that stands there. */
  readonly entry?: string;
  readonly open: readonly number[];
}

/** What a backup holds. */
interface State {
  readonly history: number;
  readonly nextId: number;
  readonly journal: readonly JournalRow[];
  readonly rows: ReadonlyMap<MemberId, Member>;
}

interface JournalRow {
  readonly id: number;
  readonly entry: JournalEntry;
}

interface Snapshot {
  readonly history: number;
  readonly next: number;
  readonly inProgress: readonly number[];
}

/** Names of histories and of entries have the form that cursors of guards require. */
const historyName = (history: number): string => String(history).padStart(32, '0');

const placed = ({ id, entry }: JournalRow): PlacedEntry => ({ ...entry, place: BigInt(id), tenantId: null });

const covers = ({ next, inProgress }: Snapshot, id: number): boolean => id < next && !inProgress.includes(id);

/** Every method is one transaction, at the moment of the call. */
export class SimulatedDatabase {
  /** Counts what cuts every connection: a crash, a failover. */
  connections = 0;
  readonly nowMs: () => number;
  #timeline = 1;
  #history = 1;
  #namedOn = 1;
  #nextId = 1;
  #loggedId = 0;
  #durableId = 0;
  readonly #inProgress = new Set<number>();
  #journal: JournalRow[] = [];
  #rows = new Map<MemberId, Member>();
  readonly #backups: State[] = [];
  /** Undoes what is visible but not durable yet, the youngest last. */
  readonly #volatile: (() => void)[] = [];
  /** Names of histories given so far: each is given once. */
  #histories = 1;

  /** @param nowMs its wall clock */
  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  register(id: MemberId, leaseMs: number, kind: Member['kind'] = 'worker'): void {
    this.#commit();
    this.#rows.set(id, { id, kind, state: 'live', leaseMs, applied: null, seen: 0 });
  }

  /** A part of the journal, as a guard loads it. */
  page({ history, after, upTo, rowsMax }: PageRequest): { isSameHistory: boolean; entries: readonly PlacedEntry[] } {
    const order = (entry: Pick<PlacedEntry, 'place' | 'id'>): string =>
      `${String(entry.place).padStart(20)} ${entry.id}`;
    const entries = this.#journal
      .map(placed)
      .filter((entry) => entry.place <= upTo && (after === undefined || order(entry) > order(after)))
      .sort((a, b) => (order(a) < order(b) ? -1 : 1));
    return { isSameHistory: history === historyName(this.#history), entries: entries.slice(0, rowsMax) };
  }

  read(member: MemberId, cursor: Cursor = { newest: 0, open: [] }): JournalPage<Cursor> {
    const snapshot: Snapshot = { history: this.#history, next: this.#nextId, inProgress: [...this.#inProgress] };
    const rows = this.#journal.filter(({ id }) => id > cursor.newest || cursor.open.includes(id));
    const newest = Math.max(cursor.newest, ...rows.map(({ id }) => id));
    const entry = rows.findLast(({ id }) => id === newest)?.entry.id ?? cursor.entry;
    const open = snapshot.inProgress.filter((id) => id < newest);
    const isKnown = this.#journal.some(({ id, entry: { id: name } }) => id === cursor.newest && name === cursor.entry);
    return {
      identity: historyName(this.#history),
      isContinued: this.#namedOn === this.#timeline && (cursor.newest === 0 || isKnown),
      databaseMs: this.nowMs(),
      isPrimary: true,
      isMember: this.#rows.get(member)?.state === 'live',
      members: this.list().filter(({ kind }) => kind === 'worker').length,
      guards: this.list().flatMap(({ id, kind, state, leaseMs }) =>
        kind === 'guard' && state === 'live' ? [{ id, keyId: 'key', leaseMs: leaseMs ?? 0 }] : [],
      ),
      guardKeysRevision: 0,
      entries: rows.map(placed),
      coverage: {
        history: historyName(this.#history),
        upTo: BigInt(newest),
        id: (entry ?? null) as JournalId | null,
        except: open.map(BigInt),
      },
      cursor: { newest, ...(entry === undefined ? {} : { entry }), open },
      applied: JSON.stringify(snapshot),
    };
  }

  /** What a replica answers that lags, at its worst: no entry, and a cursor that no page has covered. */
  readReplica(member: MemberId): JournalPage<Cursor> {
    const page = this.read(member, { newest: this.#nextId, open: [] });
    return {
      ...page,
      isPrimary: false,
      isMember: true,
      isContinued: true,
      cursor: { newest: this.#nextId - 1, open: [] },
    };
  }

  /** Not waited for by whoever reads the row: a crash may take it back. */
  acknowledge(id: MemberId, applied: string): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    this.#log();
    this.#rows.set(id, { ...row, applied });
    this.#volatile.push(() => this.#rows.set(id, row));
  }

  /** As {@link acknowledge}, for guards: in their history, and never backwards. */
  acknowledgeFor(guards: ReadonlyMap<MemberId, Coverage>): void {
    for (const [id, { history, upTo, except }] of guards) {
      const row = this.#rows.get(id);
      if (row?.kind !== 'guard' || history !== historyName(this.#history)) continue;
      const next = Number(upTo) + 1;
      const known = row.applied === null ? undefined : (JSON.parse(row.applied) as Snapshot);
      if (known?.history === this.#history && known.next > next) continue;
      this.acknowledge(id, JSON.stringify({ history: this.#history, next, inProgress: except.map(Number) }));
    }
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
    const snapshot = JSON.parse(applied) as Snapshot;
    const [history, id] = position.split(' ').map(Number);
    return snapshot.history === history && covers(snapshot, id ?? Number.NaN);
  }

  /** Where an entry of this transaction stands. */
  positionOf(id: number): string {
    return `${this.#history} ${id}`;
  }

  renameHistory(from: string): void {
    this.#commit();
    if (from !== historyName(this.#history)) return;
    this.#history = ++this.#histories;
    this.#namedOn = this.#timeline;
  }

  /** Keeps a state that was there, whole: what is in it is durable. */
  backUp(): void {
    this.#flush();
    this.#backups.push({
      history: this.#history,
      nextId: this.#loggedId + 1,
      journal: [...this.#journal],
      rows: new Map(this.#rows),
    });
  }

  /**
   * Stops, is put back to an earlier state, and starts again: the same server, the same timeline.
   * @param count how many backups ago
   * @returns whether it was put back; there may be no such backup
   */
  putBack(count: number): boolean {
    const state = this.#backups.at(-1 - count);
    if (state === undefined) return false;
    this.crash();
    this.#history = state.history;
    this.#nextId = state.nextId;
    this.#loggedId = state.nextId - 1;
    this.#durableId = state.nextId - 1;
    this.#journal = [...state.journal];
    this.#rows = new Map(state.rows);
    return true;
  }

  has(session: string): boolean {
    return this.#journal.some(({ entry }) => entry.key === session);
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
