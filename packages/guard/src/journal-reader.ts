/**
 * The reader: keeps the view complete and this process current. Only what it reads from the journal renews the lease; what it hears
 * elsewhere makes the view newer, never more trusted.
 *
 * Every order in here is a rule of the protocol (docs/operating/revocation.md); one test each breaks it.
 * @module
 */
import { randomUUIDv7 } from 'node:crypto';
import type { JournalId, MemberId } from '@catalytic/protocol/ids';
import { clockSkewSeconds, type JournalEntry } from '@catalytic/protocol/journal';
import type { Clocks } from './clocks.ts';
import type { JournalPage, JournalSource } from './journal-source.ts';
import { Lease } from './lease.ts';
import type { View } from './view.ts';

/** What a reader works with. */
export interface JournalReaderParts {
  readonly source: JournalSource;
  readonly view: View;
  readonly clocks: Clocks;
  /** Length of the lease, milliseconds. */
  readonly leaseMs: number;
  /** Told of each new member id before it is registered: whoever reaps this process removes those rows. */
  readonly onRegistering?: (member: MemberId) => void;
  /** Told when a read fails, and when this process stops or starts being current. */
  readonly onProblem: (message: string, error?: unknown) => void;
}

/** Time between two reads, milliseconds; more with very many members, so that together they ask no more than 1,000 times a second. */
const pollMsMin = 100;
const pollMsPerMember = 1;
/** Time between two reads of each of so many members, milliseconds. */
export const pollMs = (members: number): number => Math.max(pollMsMin, members * pollMsPerMember);
/** Between two reads when the first took longer than the time between them. */
const pauseMsMin = 5;
/** Without news of its own to report, an acknowledgement is written this often at most. */
const acknowledgeEveryMs = 1000;
/** Requests that may wait for a read at once: what waits costs memory, and a flood of it would meet the database when it comes back. */
const waitingMax = 1000;
/** Reasons of failed reads in a row that are told. */
const failuresMax = 10;
/** Ids of entries settled elsewhere, remembered until the journal shows them. Forgetting one only costs an acknowledgement. */
const settledMax = 100_000;
/** Largest difference between the wall clocks of this process and of the database at which the process is current, milliseconds. */
const clockSkewMs = clockSkewSeconds * 1000;

/** Reads the journal for one process. */
export class JournalReader {
  readonly #parts: JournalReaderParts;
  readonly #lease: Lease;
  readonly #settled = new Set<JournalId>();
  readonly #waiting = new Set<(isCurrent: boolean) => void>();
  /** Every id whose row may be in the database: the last one is ours, the others are to be removed. */
  #memberIds: MemberId[] = [];
  #isRegistered = false;
  #cursor: unknown;
  #identity: string | undefined;
  #members = 1;
  #lastSentMonoMs = Number.NEGATIVE_INFINITY;
  #acknowledged = { applied: '', atMs: Number.NEGATIVE_INFINITY };
  #round: Promise<void> | undefined;
  #cancelNext: () => void = () => {};
  /** Times that something heard could not be taken over. */
  #refusals = 0;
  #isStopped = false;
  /** Why reads have failed since the last one that did not. */
  readonly #failures = new Set<string>();
  #clockAheadMs = 0;

  constructor(parts: JournalReaderParts) {
    this.#parts = parts;
    this.#lease = new Lease(parts.leaseMs);
  }

  /** Ids under which this process is or was registered; what it has applied, each of them has applied. */
  get memberIds(): readonly MemberId[] {
    return this.#memberIds;
  }

  /** Members that the last read found, this process among them; 1 before the first read. */
  get members(): number {
    return this.#members;
  }

  /** Time since the last good read was sent, milliseconds; infinite before the first one. For whoever watches: it decides nothing. */
  currencyAgeMs(): number {
    return this.#parts.clocks.monoMs() - this.#lastSentMonoMs;
  }

  /**
   * By how much the wall clock of this process was ahead of the database's at the last read, at least, milliseconds; below zero: behind.
   * Zero when both may have been equal.
   */
  get clockAheadMs(): number {
    return this.#clockAheadMs;
  }

  /** Whether the view may be trusted at this very moment. Reads the clocks: call it after the request was read, and do not remember it. */
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
   * Takes over entries heard of outside the journal, once committed.
   * @param isOwn whether this process has committed them itself
   * @returns whether all were taken over, and may so be acknowledged
   */
  hear(entries: readonly JournalEntry[], isOwn = false): boolean {
    const isWhole = this.#parts.view.hear(entries, isOwn);
    if (!isWhole) {
      // A revoke counts on its own process at once. A read sent from now on shows these entries; one under way may not.
      this.#refusals++;
      this.#lease.end();
    }
    return isWhole;
  }

  /**
   * Entries that were heard, and whose revoker knows that they were: the journal need not say so as well, unless it shows them first. An
   * acknowledgement that may not have left is not settled; then what is written down here is all that the revoker can wait for.
   */
  settle(entries: readonly JournalEntry[]): void {
    if (this.#settled.size > settledMax) this.#settled.clear();
    for (const { id } of entries) this.#settled.add(id);
  }

  /** Waits for the next read that makes this process current; `false` when none comes in time, or too many wait already. */
  untilCurrent(waitMs: number): Promise<boolean> {
    if (this.#waiting.size >= waitingMax || this.#isStopped) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (isCurrent: boolean): void => {
        cancel();
        this.#waiting.delete(settle);
        resolve(isCurrent);
      };
      const cancel = this.#parts.clocks.after(waitMs, () => settle(false));
      this.#waiting.add(settle);
      // A process that was paused need not wait for its next turn.
      if (this.#round === undefined) this.#begin();
    });
  }

  /** Never current again; removes the rows of this process. Call it when the last request has been answered. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelNext();
    for (const settle of [...this.#waiting]) settle(false);
    await this.#round;
    try {
      await this.#parts.source.unregister(this.#memberIds);
    } catch (error) {
      this.#parts.onProblem('Cannot leave the members in order; they will notice the silence', error);
    }
    await this.#parts.source.close();
  }

  /** Starts a round, and the next one after it. At most one at a time. */
  #begin(): void {
    this.#cancelNext();
    const { clocks, onProblem } = this.#parts;
    const beganMs = clocks.monoMs();
    this.#round = this.#read()
      .then(() => {
        this.#failures.clear();
      })
      .catch((error: unknown) => {
        // Each reason once: a connection that was cut hides that the next one leads to a replica.
        const reason = String(error);
        if (this.#failures.has(reason) || this.#failures.size >= failuresMax) return;
        this.#failures.add(reason);
        onProblem('Cannot read the journal; trying again', error);
      })
      .then(() => {
        this.#round = undefined;
        if (this.#isStopped) return;
        const everyMs = pollMs(this.#members);
        const nextMs = Math.max(pauseMsMin, beganMs + everyMs - clocks.monoMs());
        this.#cancelNext = clocks.after(nextMs, () => this.#begin());
      });
  }

  async #read(): Promise<void> {
    const { source, clocks } = this.#parts;
    const member = await this.#register();
    // Before the call enters any queue: the lease counts from here.
    const [sentMonoMs, sentWallMs] = [clocks.monoMs(), clocks.wallMs()];
    const refusals = this.#refusals;
    const { heardCount } = this.#parts.view;
    const page = await source.read(member, this.#cursor);
    if (this.#isStopped) return;
    this.#compareClocks(sentWallMs, page.databaseMs, clocks.wallMs());
    // Neither its rows nor its cursor count: a replica lags, and PostgreSQL's does not list the transactions that are still open.
    if (!page.isPrimary)
      throw new Error('The database that answered is a replica; only the primary makes a process current');
    if (this.#identity !== undefined && this.#identity !== page.identity) return this.#startOver(page.identity);
    if (!page.isContinued) {
      // A history without a name of its own. Until it has one, nothing that was read or heard says what it holds.
      this.#lease.end();
      return source.renameHistory(page.identity);
    }
    this.#identity = page.identity;
    this.#members = page.members;
    // From here to the renewal in one turn: nobody may see the lease without the entries.
    if (!this.#parts.view.apply(page.entries))
      throw new Error(
        this.#parts.view.isFull
          ? 'The journal holds more entries than the view has room for; no token is accepted until enough of them have expired'
          : 'The journal holds a kind of entry that this version does not know; upgrade it',
      );
    if (this.#parts.view.hasLost(heardCount)) {
      // It is older than what it has told this process: put back to an earlier state, with what every reader knows it by still in it.
      this.#lease.end();
      return source.renameHistory(page.identity);
    }
    this.#cursor = page.cursor;
    const unknown = this.#parts.view.forgetHeard(heardCount, clocks.monoMs());
    if (unknown.length > 0)
      this.#parts.onProblem(
        `The bus has told of ${unknown.length} revocations that the database does not have; they are forgotten. Another deployment may use the same Redis and the same master key`,
      );
    // Silent for too long, and marked: the running lease still holds, but only a row that is live renews it.
    if (!page.isMember) this.#isRegistered = false;
    else if (refusals === this.#refusals && this.#hasRightTime) this.#renew(sentMonoMs, sentWallMs);
    const isNews = page.entries.filter(({ id }) => !this.#settled.delete(id)).length > 0;
    if (page.isMember) await this.#acknowledge(member, page, isNews);
  }

  /** Each registration has an id of its own: a reply that comes late can then never speak for a later one. */
  async #register(): Promise<MemberId> {
    const known = this.#memberIds.at(-1);
    if (this.#isRegistered && known !== undefined) return known;
    const member = randomUUIDv7() as MemberId;
    this.#parts.onRegistering?.(member);
    this.#memberIds.push(member);
    await this.#parts.source.register(member, this.#parts.leaseMs);
    this.#isRegistered = true;
    // Its row is empty still, whatever the former one said.
    this.#acknowledged = { applied: '', atMs: Number.NEGATIVE_INFINITY };
    return member;
  }

  #renew(sentMonoMs: number, sentWallMs: number): void {
    this.#lease.renew(sentMonoMs, sentWallMs);
    this.#lastSentMonoMs = Math.max(this.#lastSentMonoMs, sentMonoMs);
    if (this.isCurrent()) for (const settle of [...this.#waiting]) settle(true);
  }

  async #acknowledge(member: MemberId, { applied }: JournalPage<unknown>, isNews: boolean): Promise<void> {
    const { source, clocks } = this.#parts;
    const former = this.#memberIds.slice(0, -1);
    // Only now: until this read the former row was the one that revokers had to wait for.
    if (former.length > 0) {
      await source.unregister(former);
      this.#memberIds = this.#memberIds.slice(former.length);
    }
    const isDue = clocks.monoMs() - this.#acknowledged.atMs >= acknowledgeEveryMs;
    if (!isNews && (!isDue || applied === this.#acknowledged.applied)) return;
    await source.acknowledge(member, applied);
    this.#acknowledged = { applied, atMs: clocks.monoMs() };
  }

  /** Another history of the database: it may lack entries that were acknowledged to somebody. They are written back before it counts. */
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

  /** The database read its clock between the sending and the reply: what goes beyond that is a difference. */
  #compareClocks(sentWallMs: number, databaseMs: number, repliedWallMs: number): void {
    const hadRightTime = this.#hasRightTime;
    const [aheadMs, behindMs] = [sentWallMs - databaseMs, databaseMs - repliedWallMs];
    this.#clockAheadMs = aheadMs > 0 ? aheadMs : behindMs > 0 ? -behindMs : 0;
    if (this.#hasRightTime === hadRightTime) return;
    const seconds = Math.round(Math.abs(this.#clockAheadMs) / 1000);
    this.#parts.onProblem(
      hadRightTime
        ? `The clock of this machine is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the clock of the database; this process accepts no token until they agree within ${clockSkewSeconds} s. Set the wrong one right (timedatectl, chronyc tracking)`
        : 'The clocks of this machine and of the database agree again; this process accepts tokens',
    );
  }
}
