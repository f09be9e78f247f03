/**
 * Polls: requests of guards that are held until there is news for them. A poll acknowledges what its
 * cursor covers, and its answer grants a lease.
 *
 * A guard is given what this process has *read*, and a lease that this process would have had from
 * the same read. The order of the steps in this file is part of the protocol
 * (docs/operating/revocation.md). For each step, one test plants the wrong order.
 * @module
 */
import type { Clocks } from '@catalytic/guard/clocks';
import type { JournalReader } from '@catalytic/guard/journal-reader';
import type { Coverage, LiveGuard, PlacedEntry } from '@catalytic/guard/journal-source';
import type { AppliedRead, ReadFollower } from '@catalytic/guard/read-follower';
import { CatalyticError } from '@catalytic/protocol/errors';
import { entryKinds, holdMsMax, type Poll, pageEntriesMax } from '@catalytic/protocol/guards';
import type { MemberId } from '@catalytic/protocol/ids';
import type { KnownGuardKey } from '../guard-keys/store.ts';
import type { AcknowledgeFor, Hint } from '../revocation/hint-bus.ts';
import type { MessageSeal } from '../secrets/message-seal.ts';
import { Announcements } from './announcements.ts';
import { CountsOfKeys } from './counts-of-keys.ts';
import { coverageText, endingWith, includes, nothingOf, union } from './coverage.ts';
import { type Cursor, readCursor, writeCursor } from './cursor.ts';
import { JournalLoads } from './journal-loads.ts';
import { type PageFacts, pageText } from './page.ts';
import { RecentEntries } from './recent-entries.ts';
import { answerEveryMs, followerLeaseMs, leaseMsOf, pollsMax, pollsOfKeyMax } from './rules.ts';
import type { GuardStore } from './store.ts';

/** What polls work with. */
export interface PollsParts {
  readonly clocks: Clocks;
  readonly reader: () => Pick<JournalReader, 'isCurrent' | 'hurry' | 'doubt'>;
  readonly guards: Pick<GuardStore, 'page'>;
  readonly seal: MessageSeal;
  /** Lease of the workers, milliseconds. */
  readonly leaseMs: number;
  /** Told the revision of the guard keys with each read. */
  readonly onGuardKeys: (revision: number) => void;
  /** What a page says besides: see `Page`. */
  readonly facts: () => PageFacts;
}

/** A poll that was read. */
export interface AskedPoll {
  readonly poll: Poll;
  readonly key: KnownGuardKey;
  /** Sets what happens when the client is gone, or has the answer. */
  readonly onClosed: (listener: () => void) => void;
}

/** A poll that is held. */
interface Held {
  readonly asked: AskedPoll;
  readonly cursor: Cursor | undefined;
  readonly guard: MemberId | undefined;
  /** Monotonic clock when it arrived, milliseconds. */
  readonly arrivedMs: number;
  /** Not answered before this time, so that a storm of revocations costs a bounded number of answers. */
  readonly notBeforeMs: number;
  isAcknowledged: boolean;
  /** Answered by then, also without news. */
  readonly untilMs: number;
  /**
   * Until then a guard that the last read has not shown may be one that was registered since, and a
   * history that it has not shown may be that of the database now.
   */
  readonly shownByMs: number;
  /** Cancels the next look at it. */
  cancelLook: () => void;
  readonly answer: (text: string) => void;
  readonly refuse: (error: CatalyticError) => void;
}

/** Entries, and what a guard has with them. */
interface Given {
  readonly entries: readonly PlacedEntry[];
  readonly coverage: Coverage;
  readonly more: boolean;
}

/** Longest time that a poll waits for a read that shows its guard or its history, milliseconds. */
const readMsMax = 250;

/** Shortest time between two writes of what one guard has applied, if it has not changed, milliseconds. */
const recordEveryMs = 1000;
/** How long acknowledgements are collected before they are written, milliseconds. */
const collectMs = 50;

/** Holds polls, and answers them. */
export class Polls implements ReadFollower {
  readonly #parts: PollsParts;
  readonly #recent = new RecentEntries();
  readonly #announcements: Announcements;
  readonly #held = new Set<Held>();
  #read: AppliedRead | undefined;
  /** The last read that has renewed the lease of this process. */
  #good: AppliedRead | undefined;
  #live = new Map<MemberId, LiveGuard>();
  /** What guards have applied, to be written with the next read. */
  #applied = new Map<MemberId, Coverage>();
  readonly #recorded = new Map<MemberId, { readonly has: Coverage; readonly atMs: number }>();
  readonly #asking = new Set<MemberId>();
  /** Pages of this turn: guards with equal cursors share one. */
  #pages = new Map<string, Given | undefined>();
  readonly #heldOf = new CountsOfKeys();
  readonly #loads: JournalLoads;
  #isLeaving = false;
  /** Answers so far, by what they held. */
  readonly pages = { load: 0, news: 0, empty: 0 };

  constructor(parts: PollsParts) {
    this.#parts = parts;
    this.#loads = new JournalLoads(parts.guards);
    this.#announcements = new Announcements(parts.clocks, (id) => this.#recent.placeOf(id));
  }

  /** Polls held at this moment. */
  get held(): number {
    return this.#held.size;
  }

  /** Guards that were live at the last read. */
  get live(): number {
    return this.#live.size;
  }

  /** Guards that have asked since the last call. */
  takeAsking(): readonly MemberId[] {
    const ids = [...this.#asking];
    this.#asking.clear();
    return ids;
  }

  onRead(read: AppliedRead): void {
    if (this.#read !== undefined && this.#read.page.coverage.history !== read.page.coverage.history)
      this.#announcements.clear();
    this.#read = read;
    this.#recent.add(read);
    this.#pages.clear();
    if (read.isGood) {
      this.#good = read;
      this.#live = new Map(read.page.guards.map((guard) => [guard.id, guard]));
      for (const id of this.#recorded.keys()) if (!this.#live.has(id)) this.#recorded.delete(id);
    }
    this.#parts.onGuardKeys(read.page.guardKeysRevision);
    this.#announcements.onRead((id) => this.#live.has(id));
    // Most reads bring nothing, and a thousand polls may be held.
    const hasNews = read.isWhole || read.page.entries.length > 0;
    for (const held of this.#held) if (hasNews || held.guard !== undefined || this.#isAhead(held)) this.#judge(held);
  }

  takeAcknowledgements(): ReadonlyMap<MemberId, Coverage> {
    const applied = this.#applied;
    this.#applied = new Map();
    return applied;
  }

  /** Follows an announcement; guards that wait hear of it as soon as this process has read it. */
  follow(hint: Hint, acknowledgeFor: AcknowledgeFor): void {
    if (this.#held.size === 0 && this.#live.size === 0) return;
    this.#announcements.follow(hint, acknowledgeFor);
    this.#parts.reader().hurry();
  }

  /** This process stops: every poll is answered at once, and guards ask another process. */
  leave(): void {
    this.#isLeaving = true;
    for (const held of this.#held) this.#answer(held);
  }

  /**
   * Answers a poll.
   * @returns the page as JSON
   * @throws {CatalyticError} `guard_outdated`, `guard_cursor_invalid`, `guard_not_live`,
   *   `guard_polls_too_many`
   */
  async ask(asked: AskedPoll): Promise<string> {
    const { clocks, seal } = this.#parts;
    const arrivedMs = clocks.monoMs();
    const { poll, key, onClosed } = asked;
    if (!entryKinds.every((kind) => poll.kinds.includes(kind))) throw new CatalyticError('guard_outdated');
    const cursor = poll.after === undefined ? undefined : readCursor(seal, poll.after, key.tenantId);
    if (poll.after !== undefined && cursor === undefined) throw new CatalyticError('guard_cursor_invalid');
    if (this.#held.size >= pollsMax || this.#heldOf.of(key) >= pollsOfKeyMax)
      throw new CatalyticError('guard_polls_too_many', { retryAfterSeconds: 1 });
    const guard = poll.guard as MemberId | undefined;
    const waitMs = Math.min(poll.wait_ms, holdMsMax(this.#leaseOf(guard)));
    const everyMs = cursor === undefined ? 0 : answerEveryMs(this.#held.size);
    return new Promise((resolve, reject) => {
      const held: Held = {
        asked,
        cursor,
        guard,
        arrivedMs,
        isAcknowledged: false,
        notBeforeMs: arrivedMs + everyMs,
        untilMs: arrivedMs + waitMs,
        shownByMs: arrivedMs + Math.max(waitMs, readMsMax),
        cancelLook: () => {},
        answer: (text) => {
          this.#letGo(held);
          resolve(text);
        },
        refuse: (error) => {
          this.#letGo(held);
          reject(error);
        },
      };
      onClosed(() => this.#letGo(held));
      this.#held.add(held);
      this.#heldOf.add(key);
      // A read sent from now on decides about a guard and a history that the last one has not shown.
      if (this.#isNotShown(held) || this.#isElsewhere(held)) this.#parts.reader().hurry();
      this.#judge(held);
    });
  }

  #letGo(held: Held): void {
    held.cancelLook();
    if (this.#held.delete(held)) this.#heldOf.remove(held.asked.key);
  }

  /**
   * What a guard asks with is its acknowledgement, in the database that this process has read. A
   * cursor that a load has not finished covers nothing yet.
   */
  #acknowledge(held: Held): void {
    const { guard, cursor } = held;
    if (guard === undefined || held.isAcknowledged || !this.#isLive(held)) return;
    this.#asking.add(guard);
    if (cursor === undefined || cursor.loaded !== undefined || !this.#recent.knows(cursor.coverage)) return;
    held.isAcknowledged = true;
    const has = cursor.coverage;
    this.#announcements.acknowledge(guard, has);
    const { clocks, reader } = this.#parts;
    const [recorded, nowMs] = [this.#recorded.get(guard), clocks.monoMs()];
    const isNews = recorded === undefined || !includes(recorded.has, has);
    if (!isNews && nowMs - recorded.atMs < recordEveryMs) return;
    this.#recorded.set(guard, { has, atMs: nowMs });
    // The commands, and revokers whose bus is away, look for it in the guard's row.
    if (isNews && this.#applied.size === 0) clocks.after(collectMs, () => reader().hurry());
    this.#applied.set(guard, has);
  }

  /** Whether a guard has what this process has not read. */
  #isAhead({ cursor }: Held): boolean {
    return cursor !== undefined && this.#recent.isBehind(cursor.coverage);
  }

  #isLive({ guard, asked: { key } }: Pick<Held, 'guard' | 'asked'>): boolean {
    return guard !== undefined && this.#live.get(guard)?.keyId === key.id;
  }

  /** Whether the last good read has not shown the guard. */
  #isNotShown(held: Held): boolean {
    return held.guard !== undefined && !this.#isLive(held);
  }

  /** Whether the cursor is of another history than the last read. */
  #isElsewhere({ cursor }: Held): boolean {
    const read = this.#recent.coverage;
    return cursor !== undefined && read !== undefined && cursor.coverage.history !== read.history;
  }

  #leaseOf(guard: MemberId | undefined): number {
    return (guard === undefined ? undefined : this.#live.get(guard)?.leaseMs) ?? followerLeaseMs(this.#parts.leaseMs);
  }

  /** Answers a poll if it is time. */
  #judge(held: Held): void {
    if (!this.#held.has(held)) return;
    this.#acknowledge(held);
    const nowMs = this.#parts.clocks.monoMs();
    const good = this.#read?.isGood === true && this.#read.sentMonoMs > held.arrivedMs ? this.#read : undefined;
    // Only a read that was sent after the poll arrived can say that the guard is not live, or that
    // the database has another history.
    if (good === undefined) {
      const mayBeShown = nowMs < held.shownByMs && !this.#isLeaving;
      if (mayBeShown && (this.#isNotShown(held) || this.#isElsewhere(held))) {
        this.#lookAt(held, held.shownByMs);
        return;
      }
      if (this.#isElsewhere(held)) {
        held.refuse(new CatalyticError('revocation_state_unavailable', { retryAfterSeconds: 1 }));
        return;
      }
    } else if (this.#isNotShown(held)) {
      held.refuse(new CatalyticError('guard_not_live'));
      return;
    }
    const isOver = nowMs >= held.untilMs || this.#isLeaving;
    const isPutBack = good !== undefined && this.#isAhead(held);
    // The database was put back to an earlier state and has kept its name.
    if (isPutBack) this.#parts.reader().doubt(good.page.coverage.history);
    const isTime = nowMs >= held.notBeforeMs;
    const mayHaveNews = isTime && !isPutBack;
    if (isOver || held.cursor === undefined || (mayHaveNews && this.#givenTo(held)?.entries.length !== 0))
      this.#answer(held);
    else this.#lookAt(held, isTime ? held.untilMs : Math.min(held.notBeforeMs, held.untilMs));
  }

  /** Looks at a poll again at that time, if no read does so before. */
  #lookAt(held: Held, atMs: number): void {
    const { clocks } = this.#parts;
    held.cancelLook();
    held.cancelLook = clocks.after(Math.max(0, atMs - clocks.monoMs()), () => this.#judge(held));
  }

  /**
   * What a guard gets from the recent entries, and has then.
   * @returns `undefined` when it must load from the store
   */
  #givenTo({ cursor, asked: { key } }: Pick<Held, 'cursor' | 'asked'>): Given | undefined {
    const read = this.#recent.coverage;
    if (read === undefined || cursor?.loaded !== undefined) return undefined;
    const has = cursor?.coverage.history === read.history ? cursor.coverage : nothingOf(read.history);
    const name = `${key.tenantId ?? '*'} ${coverageText(has)}`;
    const known = this.#pages.get(name);
    if (known !== undefined || this.#pages.has(name)) return known;
    const given = firstPage(this.#recent.after(has, key.tenantId), has, read);
    this.#pages.set(name, given);
    return given;
  }

  /** One turn makes the page: entries, cursor and lease are those of the last read. */
  #answer(held: Held): void {
    const given = this.#givenTo(held);
    if (given === undefined) {
      this.#load(held);
      return;
    }
    const isWhole = held.cursor?.coverage.history !== given.coverage.history;
    this.pages[isWhole ? 'load' : given.entries.length > 0 ? 'news' : 'empty']++;
    held.answer(this.#page(held, given.entries, { coverage: given.coverage, loaded: undefined }, given.more));
  }

  #page(held: Held, entries: readonly PlacedEntry[], cursor: Cursor, more: boolean): string {
    const { seal, facts } = this.#parts;
    const { key, poll } = held.asked;
    return pageText({
      nonce: poll.nonce,
      guard: held.guard ?? null,
      history: cursor.coverage.history,
      cursor: writeCursor(seal, cursor, key.tenantId),
      more,
      lease_ms: more ? 0 : this.#leaseMs(held, cursor.coverage),
      tenant: key.tenantId,
      ...facts(),
      entries,
    });
  }

  /**
   * The lease that an answer grants, milliseconds since the request was sent: what is left of the
   * guard's lease if it had made the last good read of this process itself.
   */
  #leaseMs(held: Held, { history }: Coverage): number {
    const { clocks, reader } = this.#parts;
    const good = this.#good;
    if (good === undefined || history !== good.page.coverage.history || !reader().isCurrent()) return 0;
    if (this.#isNotShown(held)) return 0;
    return leaseMsOf({
      leaseMs: this.#leaseOf(held.guard),
      // The monotonic clock stands still while the machine is suspended.
      ageMs: Math.max(clocks.monoMs() - good.sentMonoMs, clocks.wallMs() - good.sentWallMs),
      heldMs: clocks.monoMs() - held.arrivedMs,
    });
  }

  /** Gives the next page of a load. The page after the last one brings what is new since, and the lease. */
  #load(held: Held): void {
    this.#letGo(held);
    const { key, onClosed } = held.asked;
    this.#loads.next({ key, onClosed, cursor: held.cursor, read: this.#recent.coverage }).then(
      ({ entries, cursor }) => {
        this.pages.load++;
        held.answer(this.#page(held, entries, cursor, true));
      },
      (error: CatalyticError) => held.refuse(error),
    );
  }
}

/** The first page of what a guard lacks. */
const firstPage = (lacking: readonly PlacedEntry[] | undefined, has: Coverage, read: Coverage): Given | undefined => {
  if (lacking === undefined) return undefined;
  const next = lacking[pageEntriesMax];
  if (next === undefined) return { entries: lacking, coverage: union(has, read), more: false };
  // A page ends between two places, because a cursor covers all entries at a place or none.
  const entries = lacking.slice(0, pageEntriesMax).filter(({ place }) => place < next.place);
  const last = entries.at(-1);
  if (last === undefined) return undefined;
  return { entries, coverage: union(has, endingWith(read, last)), more: true };
};
