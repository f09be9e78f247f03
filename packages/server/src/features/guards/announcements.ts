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
  readonly #followed = new Map<string, Followed>();
  /** Acknowledgements that leave at the end of this turn. */
  #leaving: Map<Followed, MemberId[]> | undefined;

  /** @param placeOf the place of an entry that this process has read */
  constructor(clocks: Pick<Clocks, 'monoMs' | 'after'>, placeOf: (id: JournalId) => bigint | undefined) {
    this.#clocks = clocks;
    this.#placeOf = placeOf;
  }

  /** Follows an announcement of this or of another process. */
  follow({ announcement, entries }: Hint, acknowledge: AcknowledgeFor): void {
    this.#forget();
    const followed: Followed = {
      acknowledge,
      unread: new Set(entries.map(({ id }) => id)),
      places: [],
      acknowledged: new Set(),
      sinceMs: this.#clocks.monoMs(),
    };
    this.#place(followed);
    this.#followed.set(announcement, followed);
  }

  /** Call it after each read. */
  onRead(): void {
    for (const followed of this.#followed.values()) this.#place(followed);
  }

  /** Passes on what a guard shows to have applied. */
  acknowledge(guard: MemberId, has: Coverage): void {
    for (const followed of this.#followed.values()) {
      const { unread, places, acknowledged } = followed;
      if (unread.size > 0 || acknowledged.has(guard) || !places.every((place) => covers(has, place))) continue;
      acknowledged.add(guard);
      this.#send(followed, guard);
    }
  }

  /** The history of the database is another one: places of the former one say nothing. */
  clear(): void {
    this.#followed.clear();
  }

  #place({ unread, places }: Followed): void {
    for (const id of unread) {
      const place = this.#placeOf(id);
      if (place === undefined) continue;
      unread.delete(id);
      places.push(place);
    }
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
    const beforeMs = this.#clocks.monoMs() - followedMs;
    // In the order of their beginning.
    for (const [announcement, { sinceMs }] of this.#followed) {
      if (sinceMs > beforeMs && this.#followed.size < announcementsMax) return;
      this.#followed.delete(announcement);
    }
  }
}
