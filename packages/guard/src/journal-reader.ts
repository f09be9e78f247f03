/**
 * The reader: keeps the view complete and this process current. Only what it reads from the journal renews the lease; what it hears
 * elsewhere makes the view newer, never more trusted.
 *
 * Every order in here is a rule of the protocol (docs/operating/revocation.md); one test each breaks it.
 * @module
 */
import { randomUUIDv7 } from 'node:crypto';
import type { JournalId, MemberId } from '@catalytic/protocol/ids';
import type { JournalEntry } from '@catalytic/protocol/journal';
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
/** Ids of heard entries remembered until the journal shows them. Forgetting one only costs an acknowledgement. */
const heardMax = 100_000;

/** Reads the journal for one process. */
export class JournalReader {
  readonly #parts: JournalReaderParts;
  readonly #lease: Lease;
  readonly #heard = new Set<JournalId>();
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
  #isFailing = false;

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

  /** Takes over entries heard of outside the journal, once committed. Returns whether all were taken over, and may so be acknowledged. */
  hear(entries: readonly JournalEntry[]): boolean {
    const isWhole = this.#parts.view.apply(entries);
    if (isWhole) {
      if (this.#heard.size > heardMax) this.#heard.clear();
      for (const { id } of entries) this.#heard.add(id);
    } else {
      // A revoke counts on its own process at once. A read sent from now on shows these entries; one under way may not.
      this.#refusals++;
      this.#lease.end();
    }
    return isWhole;
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
        this.#isFailing = false;
      })
      .catch((error: unknown) => {
        if (!this.#isFailing) onProblem('Cannot read the journal; trying again', error);
        this.#isFailing = true;
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
    const page = await source.read(member, this.#cursor);
    if (this.#isStopped) return;
    // Neither its rows nor its cursor count: a replica lags, and PostgreSQL's does not list the transactions that are still open.
    if (!page.isPrimary)
      throw new Error('The database that answered is a replica; only the primary makes a process current');
    if (this.#identity !== undefined && this.#identity !== page.identity) return this.#startOver(page.identity);
    this.#identity = page.identity;
    this.#members = page.members;
    // From here to the renewal in one turn: nobody may see the lease without the entries.
    if (!this.#parts.view.apply(page.entries))
      throw new Error(
        this.#parts.view.isFull
          ? 'The journal holds more entries than the view has room for; no token is accepted until enough of them have expired'
          : 'The journal holds a kind of entry that this version does not know; upgrade it',
      );
    this.#cursor = page.cursor;
    // Silent for too long, and marked: the running lease still holds, but only a row that is live renews it.
    if (!page.isMember) this.#isRegistered = false;
    else if (refusals === this.#refusals) this.#renew(sentMonoMs, sentWallMs);
    const isNews = page.entries.filter(({ id }) => !this.#heard.delete(id)).length > 0;
    if (page.isMember) await this.#acknowledge(member, page, isNews);
  }

  /** Each registration has an id of its own: a reply that comes late can then never speak for a later one. */
  async #register(): Promise<MemberId> {
    const known = this.#memberIds.at(-1);
    if (this.#isRegistered && known !== undefined) return known;
    const member = randomUUIDv7() as MemberId;
    this.#parts.onRegistering?.(member);
    this.#memberIds.push(member);
    await this.#parts.source.register(member);
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
}
