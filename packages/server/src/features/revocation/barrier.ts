/**
 * The barrier: from a committed revocation to the answer of its request. Every 200 to a revocation
 * goes through it. A repeated revocation does so too, because the first one may still be waiting.
 *
 * The order of the steps in this file is part of the protocol (docs/operating/revocation.md). For
 * each step, one test plants the wrong order.
 * @module
 */
import { randomUUID } from 'node:crypto';
import type { JournalReader } from '@catalytic/guard/journal-reader';
import type { MemberId } from '@catalytic/protocol/ids';
import type { JournalEntry } from '@catalytic/protocol/journal';
import { Eviction, type EvictionParts } from './eviction.ts';
import type { AcknowledgeFor, Acknowledgement, Hint, HintBus } from './hint-bus.ts';
import type { Confirmation } from './observer.ts';
import { announceEveryMs, fullWaitMs, leaseMsMax, longestLeaseMs, silenceMs } from './rules.ts';
import { SilentMembers } from './silent-members.ts';
import type { Member, Recorded } from './store.ts';

/**
 * The answer to a revocation: it holds everywhere now, or will within a bounded time without
 * further action.
 */
export type Propagation =
  | { readonly propagation: 'complete' }
  | { readonly propagation: 'pending'; readonly completeWithinMs: number };

/** What the barrier works with. */
export interface BarrierParts extends EvictionParts {
  readonly reader: Pick<JournalReader, 'hear' | 'settle' | 'memberIds'>;
  readonly bus: HintBus;
  /** Speaks for the guards that ask this process. */
  readonly guards?: { follow(hint: Hint, acknowledgeFor: AcknowledgeFor): void } | undefined;
  /**
   * Time after which a revocation that does not hold everywhere yet is answered as pending,
   * milliseconds.
   */
  readonly answerMs: number;
}

/** A revocation that has not been answered yet. */
interface Open {
  readonly position: string;
  /** Monotonic clock at the reply of the commit, never earlier. The full wait counts from here. */
  readonly committedMs: number;
  /**
   * Members that may still lack it; `undefined` until the members have been read after the commit.
   */
  missing: Set<MemberId> | undefined;
  /** The longest lease of the members that may lack it, milliseconds. */
  leaseMs: number;
  readonly acknowledged: Set<MemberId>;
  readonly answer: (propagation: Propagation) => void;
}

interface Batch {
  readonly entries: JournalEntry[];
  readonly open: Set<Open>;
}

/**
 * Time between two reads of the members while a revocation is open, milliseconds. One query serves
 * all open revocations.
 */
const lookEveryMs = 50;
/**
 * Time between two reads of the members while no revocation is open, milliseconds. They find
 * members that have fallen silent.
 */
const watchEveryMs = 2000;

/** Answers revocations once they hold everywhere. */
export class Barrier {
  readonly #parts: BarrierParts;
  readonly #eviction: Eviction;
  readonly #open = new Set<Open>();
  readonly #announced = new Map<string, Set<Open>>();
  #batch: Batch | undefined;
  #announcedMs = Number.NEGATIVE_INFINITY;
  /** Number of workers at the last read. */
  #members = 1;
  /**
   * Since when each guard has lacked an entry without a new acknowledgement, monotonic milliseconds.
   * A guard has longer than a revocation waits for its answer, so it is judged over several of them.
   */
  readonly #lacking = new Map<MemberId, { readonly applied: Member['applied']; readonly sinceMs: number }>();
  #isLooking = false;
  #cancelLook: () => void = () => {};
  readonly #silent = new SilentMembers();
  #cancelWatch: () => void = () => {};
  #isClosed = false;

  constructor(parts: BarrierParts) {
    this.#parts = parts;
    this.#eviction = new Eviction(parts);
    const { bus, reader, guards } = parts;
    bus.listen(
      {
        onHint: (hint, acknowledgeFor) => {
          guards?.follow(hint, acknowledgeFor);
          return reader.hear(hint.entries);
        },
        onAcknowledged: ({ entries }) => reader.settle(entries),
        onAcknowledgement: (acknowledgement) => this.#acknowledge(acknowledgement),
      },
      () => reader.memberIds,
    );
  }

  /**
   * Starts to evict members that fall silent while nothing is revoked, so that the next revocation
   * need not wait for them.
   */
  watch(): void {
    this.#cancelWatch = this.#parts.clocks.after(watchEveryMs, () => void this.#lookForSilent());
  }

  async #lookForSilent(): Promise<void> {
    const { members, clocks, reader } = this.#parts;
    const askedMs = clocks.monoMs();
    // If the list cannot be read, no member is judged.
    const rows = await members.list().catch(() => []);
    if (this.#isClosed) return;
    this.#eviction.start(this.#silent.take(rows, askedMs).filter(({ id }) => !reader.memberIds.includes(id)));
    this.watch();
  }

  /** Ends what {@link Barrier.watch} started. */
  close(): void {
    this.#isClosed = true;
    this.#cancelWatch();
  }

  /**
   * Waits until committed entries hold in every process that accepts tokens, or answers by when
   * they will. Never rejects.
   */
  settle({ entries, position }: Recorded): Promise<Propagation> {
    const { clocks, reader, answerMs } = this.#parts;
    const committedMs = clocks.monoMs();
    // No revocation waits for an acknowledgement by its own process.
    if (reader.hear(entries, true)) reader.settle(entries);
    return new Promise((resolve) => {
      const open: Open = {
        position,
        committedMs,
        missing: undefined,
        leaseMs: leaseMsMax,
        acknowledged: new Set(),
        answer: (propagation) => {
          cancel();
          this.#open.delete(open);
          this.#parts.observer?.onSettled(clocks.monoMs() - committedMs, propagation.propagation);
          resolve(propagation);
        },
      };
      const cancel = clocks.after(answerMs, () => this.#judge(open));
      this.#open.add(open);
      this.#announce(entries, open);
      this.#look();
    });
  }

  /**
   * One hint carries the entries of one turn of the event loop; with many members it collects them
   * for longer.
   */
  #announce(entries: readonly JournalEntry[], open: Open): void {
    const batch = this.#batch ?? { entries: [], open: new Set() };
    batch.entries.push(...entries);
    batch.open.add(open);
    if (this.#batch !== undefined) return;
    this.#batch = batch;
    const { bus, guards, clocks } = this.#parts;
    const dueMs = this.#announcedMs + announceEveryMs(this.#members);
    clocks.after(Math.max(0, dueMs - clocks.monoMs()), () => {
      this.#batch = undefined;
      this.#announcedMs = clocks.monoMs();
      const announcement = randomUUID();
      this.#announced.set(announcement, batch.open);
      const hint = { announcement, entries: batch.entries };
      bus.announce(hint);
      guards?.follow(hint, (members) => this.#acknowledge({ announcement, members }));
    });
  }

  #acknowledge({ announcement, members }: Acknowledgement): void {
    for (const member of members) this.#lacking.delete(member);
    for (const open of this.#announced.get(announcement) ?? []) {
      for (const member of members) {
        const isNews = open.missing?.delete(member) ?? !open.acknowledged.has(member);
        open.acknowledged.add(member);
        if (isNews) this.#confirm(open, 'acknowledgement');
      }
      this.#judge(open);
    }
  }

  /**
   * Reads the members, one query for all open revocations. A query sent before the reply of a
   * commit proves nothing about that commit.
   */
  #look(): void {
    if (this.#isLooking) return;
    this.#cancelLook();
    this.#isLooking = true;
    const { members, clocks, onProblem } = this.#parts;
    // Kept as a set, not as a time: two events may read the same time from a coarse clock.
    const asked = new Set(this.#open);
    const again = (): void => {
      this.#isLooking = false;
      for (const open of asked) this.#judge(open);
      for (const [announcement, open] of this.#announced)
        if (open.isDisjointFrom(this.#open)) this.#announced.delete(announcement);
      if (this.#open.size > 0)
        this.#cancelLook = clocks.after(this.#open.isSubsetOf(asked) ? lookEveryMs : 0, () => this.#look());
    };
    members
      .list()
      .then((rows) => this.#take(rows, asked))
      .then(again, (error: unknown) => {
        onProblem('Cannot read the members; revocations wait for their full time', error);
        again();
      });
  }

  #take(rows: readonly Member[], asked: ReadonlySet<Open>): void {
    const { members, reader } = this.#parts;
    this.#members = rows.filter(({ kind }) => kind === 'worker').length;
    const byId = new Map(rows.map((row) => [row.id, row]));
    const silent = new Set<Member>();
    for (const open of asked.intersection(this.#open)) {
      open.missing ??= new Set(byId.keys()).difference(open.acknowledged);
      // This process itself holds the entries in its view.
      for (const id of reader.memberIds) open.missing.delete(id);
      for (const id of open.missing) {
        const row = byId.get(id);
        if (row === undefined || (row.applied !== null && members.covers(row.applied, open.position))) {
          open.missing.delete(id);
          this.#confirm(open, row === undefined ? 'gone' : 'journal');
        } else if (this.#isSilent(row, open)) silent.add(row);
      }
      if (open.missing.size > 0)
        this.#waitFor(open, longestLeaseMs([...open.missing].flatMap((id) => byId.get(id) ?? [])));
    }
    this.#eviction.start([...silent]);
  }

  /** Whether a member that lacks an entry has had time to acknowledge it. */
  #isSilent({ id, kind, state, applied }: Member, { committedMs }: Open): boolean {
    const known = this.#lacking.get(id);
    const sinceMs = known?.applied === applied ? known.sinceMs : committedMs;
    if (kind === 'guard') this.#lacking.set(id, { applied, sinceMs });
    return this.#parts.clocks.monoMs() - Math.min(sinceMs, committedMs) >= silenceMs[kind] || state === 'leaving';
  }

  /** Judges a revocation again when the last lease of the members that may lack it has ended. */
  #waitFor(open: Open, leaseMs: number): void {
    if (open.leaseMs === leaseMs) return;
    open.leaseMs = leaseMs;
    const { clocks } = this.#parts;
    clocks.after(Math.max(0, open.committedMs + fullWaitMs(leaseMs) - clocks.monoMs()), () => this.#judge(open));
  }

  /**
   * Confirmations after the answer are not observed: no request waits for them, and most of them
   * never arrive.
   */
  #confirm(open: Open, by: Confirmation): void {
    const { observer, clocks } = this.#parts;
    if (this.#open.has(open)) observer?.onConfirmed(clocks.monoMs() - open.committedMs, by);
  }

  #judge(open: Open): void {
    if (!this.#open.has(open)) return;
    const { clocks, answerMs } = this.#parts;
    const nowMs = clocks.monoMs();
    const trueAtMs = open.committedMs + fullWaitMs(open.leaseMs);
    const answerAtMs = open.committedMs + answerMs;
    const isHopeless =
      trueAtMs > answerAtMs &&
      open.missing !== undefined &&
      [...open.missing].every((id) => this.#eviction.isLost(id, answerAtMs));
    // After the full wait the leases of all members that lack the entry have ended.
    if (open.missing?.size === 0 || nowMs >= trueAtMs) open.answer({ propagation: 'complete' });
    else if (nowMs >= answerAtMs || isHopeless)
      open.answer({ propagation: 'pending', completeWithinMs: Math.ceil(trueAtMs - nowMs) });
  }
}
