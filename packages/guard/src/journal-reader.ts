/**
 * The reader: keeps the view complete and this process current. Only a read of the journal renews
 * the lease. An entry heard over the bus makes the view newer, never more trusted.
 *
 * The order of the steps in this file is part of the protocol (docs/operating/revocation.md). For
 * each step, one test plants the wrong order.
 * @module
 */
import { randomUUIDv7 } from 'node:crypto';
import type { JournalId, MemberId } from '@catalytic/protocol/ids';
import { clockSkewSeconds, type JournalEntry } from '@catalytic/protocol/journal';
import { type Clocks, clockAheadMs } from './clocks.ts';
import type { JournalPage, JournalSource } from './journal-source.ts';
import { Lease } from './lease.ts';
import type { ReadFollower } from './read-follower.ts';
import type { View } from './view.ts';
import { Waiting } from './waiting.ts';

/** What a reader works with. */
export interface JournalReaderParts {
  readonly source: JournalSource;
  readonly view: View;
  readonly clocks: Clocks;
  /** Length of the lease, milliseconds. */
  readonly leaseMs: number;
  /**
   * Called with each new member id before it is registered. The supervisor removes those rows after
   * this process has died.
   */
  readonly onRegistering?: (member: MemberId) => void;
  /** Called when a read fails, and when this process stops or starts being current. */
  readonly onProblem: (message: string, error?: unknown) => void;
  readonly follower?: ReadFollower;
}

/**
 * Time between two reads, milliseconds. It grows with very many members, so that all of them
 * together read at most 1,000 times a second.
 */
const pollMsMin = 100;
const pollMsPerMember = 1;
/** Time between two reads of one member, milliseconds. @param members workers of the deployment */
export const pollMs = (members: number): number => Math.max(pollMsMin, members * pollMsPerMember);
/**
 * Time between two reads that somebody waits for, milliseconds.
 * @param members members of the deployment
 */
const hurriedPollMs = (members: number): number => Math.max(10, members * pollMsPerMember);
/**
 * Shortest pause after a read, milliseconds: applies when the read itself took longer than the time
 * between two reads.
 */
const pauseMsMin = 5;
/** Shortest time between two acknowledgements that report no new entry, milliseconds. */
const acknowledgeEveryMs = 1000;
/** Most different reasons that are reported during one run of failed reads. */
const failuresMax = 10;
/**
 * Most ids of settled entries, kept until the journal shows them. Forgetting an id costs one
 * acknowledgement, nothing else.
 */
const settledMax = 100_000;
/**
 * Largest difference between the wall clocks of this process and of the database that leaves the
 * process current, milliseconds.
 */
const clockSkewMs = clockSkewSeconds * 1000;

/** Reads the journal for one process. */
export class JournalReader {
  readonly #parts: JournalReaderParts;
  readonly #lease = new Lease();
  readonly #settled = new Set<JournalId>();
  readonly #waiting: Waiting;
  /**
   * Every id whose row may be in the database. The last one is the present registration, the rows
   * of the others must be removed.
   */
  #memberIds: MemberId[] = [];
  #isRegistered = false;
  #cursor: unknown;
  #identity: string | undefined;
  /** Name of a history that needs another name. */
  #doubted: string | undefined;
  #members = 1;
  #lastSentMonoMs = Number.NEGATIVE_INFINITY;
  #acknowledged = { applied: '', atMs: Number.NEGATIVE_INFINITY };
  #round: Promise<void> | undefined;
  #beganMs = Number.NEGATIVE_INFINITY;
  #isHurried = false;
  #cancelNext: () => void = () => {};
  /** How often the view had no room for heard entries, or did not know their kind. */
  #refusals = 0;
  #isStopped = false;
  /** Reasons of the failed reads since the last good one. */
  readonly #failures = new Set<string>();
  #clockAheadMs = 0;

  constructor(parts: JournalReaderParts) {
    this.#parts = parts;
    this.#waiting = new Waiting(parts.clocks);
  }

  /**
   * Ids under which this process is or was registered. An entry that this process has applied
   * counts as applied for each of them.
   */
  get memberIds(): readonly MemberId[] {
    return this.#memberIds;
  }

  /** Number of workers at the last read, this process included; 1 before the first read. */
  get members(): number {
    return this.#members;
  }

  /**
   * Time since the last good read was sent, milliseconds; infinite before the first one. For
   * metrics and readiness: it decides nothing.
   */
  currencyAgeMs(): number {
    return this.#parts.clocks.monoMs() - this.#lastSentMonoMs;
  }

  /**
   * Least amount by which the wall clock of this process was ahead of the database's at the last
   * read, milliseconds. Negative: behind. Zero: both may have been equal.
   */
  get clockAheadMs(): number {
    return this.#clockAheadMs;
  }

  /**
   * Whether the view may be trusted at this moment. Reads the clocks: call it after the request was
   * read, and never store the answer.
   */
  isCurrent(): boolean {
    const { clocks } = this.#parts;
    return !this.#isStopped && this.#lease.isCurrent(clocks.monoMs(), clocks.wallMs());
  }

  /** Registers and reads until this process is current, then goes on reading. */
  async start(): Promise<void> {
    this.#begin();
    while (!this.isCurrent() && !this.#isStopped) await this.untilCurrent(1000);
  }

  /**
   * Adds committed entries that did not come from a read of the journal.
   * @param isOwn whether this process has committed them itself
   * @returns whether all were added; only then may they be acknowledged
   */
  hear(entries: readonly JournalEntry[], isOwn = false): boolean {
    const isWhole = this.#parts.view.hear(entries, isOwn);
    if (!isWhole) {
      // A revocation must hold on the process that made it at once. A read sent from now on shows
      // these entries. A read that was sent before may not, so it must not renew the lease.
      this.#refusals++;
      this.#lease.end();
    }
    return isWhole;
  }

  /**
   * Marks entries already acknowledged over the bus, so their journal rows need no second
   * acknowledgement. Call only when that acknowledgement is known to be sent; otherwise the revoker
   * depends on the row.
   */
  settle(entries: readonly JournalEntry[]): void {
    if (this.#settled.size > settledMax) this.#settled.clear();
    for (const { id } of entries) this.#settled.add(id);
  }

  /**
   * Waits for the next read that makes this process current. `false`: no such read in time, or too
   * many requests wait already.
   */
  untilCurrent(waitMs: number): Promise<boolean> {
    if (this.#isStopped) return Promise.resolve(false);
    const waiting = this.#waiting.wait(waitMs);
    // After a pause of this process the next timer may be late: read now.
    if (this.#round === undefined) this.#begin();
    return waiting;
  }

  /**
   * Reads sooner than planned, because guards wait for what a read sent from now on shows. Many
   * calls cost one read.
   */
  hurry(): void {
    if (this.#isStopped || this.#isHurried) return;
    this.#isHurried = true;
    if (this.#round === undefined) this.#plan();
  }

  /**
   * The history of the database was found to be another one under the same name. From now on this
   * process is not current until the history has another name.
   * @param identity the name that it has
   */
  doubt(identity: string): void {
    if (this.#identity !== identity || this.#doubted === identity) return;
    this.#doubted = identity;
    this.#lease.end();
    this.hurry();
  }

  /**
   * Ends the lease for good and removes the rows of this process. Call it after the last request
   * has been answered.
   */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelNext();
    this.#waiting.settle(false);
    await this.#round;
    try {
      await this.#parts.source.unregister(this.#memberIds);
    } catch (error) {
      this.#parts.onProblem('Cannot leave the members in order; they will notice the silence', error);
    }
    await this.#parts.source.close();
  }

  /** Starts a round and schedules the next one after it. At most one round runs at a time. */
  #begin(): void {
    this.#cancelNext();
    const { clocks, onProblem } = this.#parts;
    this.#beganMs = clocks.monoMs();
    this.#isHurried = false;
    this.#round = this.#read()
      .then(() => {
        this.#failures.clear();
      })
      .catch((error: unknown) => {
        // Each reason is reported once per outage, not only the first: after a cut connection the
        // next one may lead to a replica.
        const reason = String(error);
        if (this.#failures.has(reason) || this.#failures.size >= failuresMax) return;
        this.#failures.add(reason);
        onProblem('Cannot read the journal; trying again', error);
      })
      .then(() => {
        this.#round = undefined;
        if (!this.#isStopped) this.#plan();
      });
  }

  /** Plans the next round. */
  #plan(): void {
    this.#cancelNext();
    const { clocks } = this.#parts;
    const everyMs = this.#isHurried ? hurriedPollMs(this.#members) : pollMs(this.#members);
    const nextMs = Math.max(this.#isHurried ? 0 : pauseMsMin, this.#beganMs + everyMs - clocks.monoMs());
    this.#cancelNext = clocks.after(nextMs, () => this.#begin());
  }

  async #read(): Promise<void> {
    const { source, clocks } = this.#parts;
    const member = await this.#register();
    // Read before the call enters any queue: the lease counts from this moment.
    const [sentMonoMs, sentWallMs] = [clocks.monoMs(), clocks.wallMs()];
    const refusals = this.#refusals;
    const { heardCount } = this.#parts.view;
    const isWhole = this.#cursor === undefined;
    const page = await source.read(member, this.#cursor);
    if (this.#isStopped) return;
    this.#compareClocks(sentWallMs, page.databaseMs, clocks.wallMs());
    // Neither rows nor cursor of a replica count: it lags, and on PostgreSQL it does not list the
    // transactions that are still open.
    if (!page.isPrimary)
      throw new Error('The database that answered is a replica; only the primary makes a process current');
    if (this.#identity !== undefined && this.#identity !== page.identity) return this.#startOver(page.identity);
    if (!page.isContinued || page.identity === this.#doubted) {
      // This history shares its name with another one. Until it is renamed, neither rows nor heard
      // entries prove what it holds.
      this.#lease.end();
      return source.renameHistory(page.identity);
    }
    this.#identity = page.identity;
    this.#members = page.members;
    // From here to the renewal in one turn of the event loop: no request may see the renewed lease
    // without the entries.
    if (!this.#parts.view.apply(page.entries))
      throw new Error(
        this.#parts.view.isFull
          ? 'The journal holds more entries than the view has room for; no token is accepted until enough of them have expired'
          : 'The journal holds a kind of entry that this version does not know; upgrade it',
      );
    if (this.#parts.view.hasLost(heardCount)) {
      // The database lacks an entry that this process has committed: it was put back to an earlier
      // state and still has its old name.
      this.#lease.end();
      return source.renameHistory(page.identity);
    }
    this.#cursor = page.cursor;
    const unknown = this.#parts.view.forgetHeard(heardCount, clocks.monoMs());
    if (unknown.length > 0)
      this.#parts.onProblem(
        `The bus has told of ${unknown.length} revocations that the database does not have; they are forgotten. Another deployment may use the same Redis and the same master key`,
      );
    // This member was silent for too long and is marked as leaving. The running lease still holds,
    // but only a live row renews it.
    const isGood = page.isMember && refusals === this.#refusals && this.#hasRightTime;
    if (!page.isMember) this.#isRegistered = false;
    if (isGood) this.#renew(sentMonoMs, sentWallMs);
    this.#parts.follower?.onRead({ page, sentMonoMs, sentWallMs, isWhole, isGood });
    const isNews = page.entries.filter(({ id }) => !this.#settled.delete(id)).length > 0;
    if (page.isMember) await this.#acknowledge(member, page, isNews);
    const ofGuards = this.#parts.follower?.takeAcknowledgements();
    if (ofGuards !== undefined && ofGuards.size > 0) await source.acknowledgeFor(ofGuards);
  }

  /**
   * Each registration gets a new id, so that a late reply to an earlier one can never confirm a
   * later one.
   */
  async #register(): Promise<MemberId> {
    const known = this.#memberIds.at(-1);
    if (this.#isRegistered && known !== undefined) return known;
    const member = randomUUIDv7() as MemberId;
    this.#parts.onRegistering?.(member);
    this.#memberIds.push(member);
    await this.#parts.source.register(member, this.#parts.leaseMs);
    this.#isRegistered = true;
    // The new row holds no acknowledgement yet, whatever the former row held.
    this.#acknowledged = { applied: '', atMs: Number.NEGATIVE_INFINITY };
    return member;
  }

  #renew(sentMonoMs: number, sentWallMs: number): void {
    this.#lease.renew(sentMonoMs, sentWallMs, this.#parts.leaseMs);
    this.#lastSentMonoMs = Math.max(this.#lastSentMonoMs, sentMonoMs);
    if (this.isCurrent()) this.#waiting.settle(true);
  }

  async #acknowledge(member: MemberId, { applied }: JournalPage<unknown>, isNews: boolean): Promise<void> {
    const { source, clocks } = this.#parts;
    const former = this.#memberIds.slice(0, -1);
    // Not earlier: until this read, revokers had to wait for the former row.
    if (former.length > 0) {
      await source.unregister(former);
      this.#memberIds = this.#memberIds.slice(former.length);
    }
    const isDue = clocks.monoMs() - this.#acknowledged.atMs >= acknowledgeEveryMs;
    if (!isNews && (!isDue || applied === this.#acknowledged.applied)) return;
    await source.acknowledge(member, applied);
    this.#acknowledged = { applied, atMs: clocks.monoMs() };
  }

  /**
   * The database has another history, which may lack acknowledged entries. They are written back
   * before its reads count.
   */
  async #startOver(identity: string): Promise<void> {
    this.#lease.end();
    this.#parts.onProblem('The database has another history than before: it was restored, or another server took over');
    await this.#parts.source.restore([...this.#parts.view.entries()]);
    this.#identity = identity;
    this.#cursor = undefined;
    this.#isRegistered = false;
  }

  get #hasRightTime(): boolean {
    return Math.abs(this.#clockAheadMs) <= clockSkewMs;
  }

  /**
   * The database read its clock between sending and reply. A time outside that interval shows a
   * difference between the clocks.
   */
  #compareClocks(sentWallMs: number, databaseMs: number, repliedWallMs: number): void {
    const hadRightTime = this.#hasRightTime;
    this.#clockAheadMs = clockAheadMs(sentWallMs, databaseMs, repliedWallMs);
    if (this.#hasRightTime === hadRightTime) return;
    const seconds = Math.round(Math.abs(this.#clockAheadMs) / 1000);
    this.#parts.onProblem(
      hadRightTime
        ? `The clock of this machine is ${seconds} s ${this.#clockAheadMs > 0 ? 'ahead of' : 'behind'} the clock of the database; this process accepts no token until they agree within ${clockSkewSeconds} s. Set the wrong one right (timedatectl, chronyc tracking)`
        : 'The clocks of this machine and of the database agree again; this process accepts tokens',
    );
  }
}
