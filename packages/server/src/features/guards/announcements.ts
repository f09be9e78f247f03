/**
 * Acknowledges announcements for guards: their next poll shows what they have applied.
 *
 * Only an announcement whose every entry this process has itself read is acknowledged. An entry that
 * was merely heard has no place in the journal, so no cursor covers it.
 * @module
 */
import type { Clocks } from '@catalytic/guard/clocks';
import type { Coverage } from '@catalytic/guard/journal-source';
import type { JournalId, MemberId } from '@catalytic/protocol/ids';
import type { AcknowledgeFor, Hint } from '../revocation/hint-bus.ts';
import { covers } from './coverage.ts';

/** Most announcements that are followed; the journal brings the acknowledgements of others. */
const announcementsMax = 10_000;
/** After this time a revocation has been answered, or waits for a lost guard, milliseconds. */
const followedMs = 10_000;

/** An announcement that guards may still acknowledge. */
interface Followed {
  readonly acknowledge: AcknowledgeFor;
  /** Entries that this process has not read yet. */
  readonly unread: Set<JournalId>;
  readonly places: bigint[];
  readonly acknowledged: Set<MemberId>;
  readonly sinceMs: number;
}

/** Follows announcements. */
export class Announcements {
  readonly #clocks: Pick<Clocks, 'monoMs' | 'after'>;
  readonly #placeOf: (id: JournalId) => bigint | undefined;
  /** In the order of their beginning. */
  readonly #followed: Followed[] = [];
  /** How many have been forgotten: the number of the first one that is followed. */
  #forgotten = 0;
  /** Those with entries that this process has not read yet. */
  readonly #unread = new Set<Followed>();
  /** The number of the first one that a guard has not acknowledged: a poll costs what is new since. */
  readonly #next = new Map<MemberId, number>();
  /** Acknowledgements that leave at the end of this turn. */
  #leaving: Map<Followed, MemberId[]> | undefined;

  /** @param placeOf the place of an entry that this process has read */
  constructor(clocks: Pick<Clocks, 'monoMs' | 'after'>, placeOf: (id: JournalId) => bigint | undefined) {
    this.#clocks = clocks;
    this.#placeOf = placeOf;
  }

  /** Follows an announcement of this or of another process. */
  follow({ entries }: Hint, acknowledge: AcknowledgeFor): void {
    this.#forget();
    const followed: Followed = {
      acknowledge,
      unread: new Set(entries.map(({ id }) => id)),
      places: [],
      acknowledged: new Set(),
      sinceMs: this.#clocks.monoMs(),
    };
    this.#followed.push(followed);
    this.#unread.add(followed);
    this.#place(followed);
  }

  /** Call it after each read. @param isLive whether a guard is registered */
  onRead(isLive: (guard: MemberId) => boolean): void {
    for (const followed of this.#unread) this.#place(followed);
    for (const guard of this.#next.keys()) if (!isLive(guard)) this.#next.delete(guard);
  }

  /** Passes on what a guard shows to have applied. */
  acknowledge(guard: MemberId, has: Coverage): void {
    let next = Math.max(this.#forgotten, this.#next.get(guard) ?? 0);
    for (let number = next; number < this.#forgotten + this.#followed.length; number++) {
      const followed = this.#followed[number - this.#forgotten] as Followed;
      const { unread, places, acknowledged } = followed;
      const isNew = unread.size === 0 && !acknowledged.has(guard) && places.every((place) => covers(has, place));
      if (isNew) {
        acknowledged.add(guard);
        this.#send(followed, guard);
      }
      // Later ones may be covered before earlier ones are.
      if (next === number && acknowledged.has(guard)) next++;
    }
    this.#next.set(guard, next);
  }

  /** The history of the database is another one: places of the former one say nothing. */
  clear(): void {
    this.#drop(this.#followed.length);
  }

  #place(followed: Followed): void {
    const { unread, places } = followed;
    for (const id of unread) {
      const place = this.#placeOf(id);
      if (place === undefined) continue;
      unread.delete(id);
      places.push(place);
    }
    if (unread.size === 0) this.#unread.delete(followed);
  }

  /** One message for all guards that are answered in the same turn. */
  #send(followed: Followed, guard: MemberId): void {
    if (this.#leaving === undefined) {
      this.#leaving = new Map();
      this.#clocks.after(0, () => {
        const leaving = this.#leaving;
        this.#leaving = undefined;
        for (const [{ acknowledge }, guards] of leaving ?? []) acknowledge(guards);
      });
    }
    const guards = this.#leaving.get(followed) ?? [];
    guards.push(guard);
    this.#leaving.set(followed, guards);
  }

  #forget(): void {
    const afterMs = this.#clocks.monoMs() - followedMs;
    const kept = this.#followed.findIndex(({ sinceMs }) => sinceMs > afterMs);
    const old = kept === -1 ? this.#followed.length : kept;
    this.#drop(Math.max(old, this.#followed.length + 1 - announcementsMax));
  }

  #drop(count: number): void {
    for (const followed of this.#followed.splice(0, count)) this.#unread.delete(followed);
    this.#forgotten += count;
  }
}
