/**
 * The follower: keeps the view of a guard complete and the guard current, by polls of the service.
 * It is to a process of somebody else what `journal-reader.ts` is to one of ours.
 *
 * The order of the steps in this file is part of the protocol (docs/operating/revocation.md). For
 * each step, one test plants the wrong order.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { entryKinds, guardLeaseMsMin, holdMsMax, type Registered } from '@catalytic/protocol/guards';
import type { MemberId } from '@catalytic/protocol/ids';
import { clockSkewSeconds } from '@catalytic/protocol/journal';
import { type Clocks, clockAheadMs } from './clocks.ts';
import { forgettingClock } from './forgetting-clock.ts';
import { Lease } from './lease.ts';
import { atOnce, type NextPoll, PollRounds } from './poll-rounds.ts';
import type { PublishedKeys } from './published-keys.ts';
import { type ReadPage, readPage } from './read-page.ts';
import type { Reply, RevocationsClient } from './revocations-client.ts';
import type { KeptRevocation, View } from './view.ts';
import { Waiting } from './waiting.ts';

/** What a follower works with. */
export interface FollowerParts {
  readonly client: Pick<RevocationsClient, 'poll' | 'abortPoll' | 'register' | 'leave' | 'close'>;
  readonly keys: Pick<PublishedKeys, 'isLoaded' | 'follow'>;
  readonly clocks: Clocks;
  /** Whether sign-outs wait for this guard: then only pages for its registered id renew its lease. */
  readonly isStrict: boolean;
  /** Whether a strict guard that is refused for now follows meanwhile. */
  readonly followsIfRefused: boolean;
  readonly audience: string;
  /** Tells guards apart in the logs and metrics of the service. */
  readonly name: string;
  /** Makes an empty view. */
  readonly newView: () => View;
  /** The number of this process, read again at each use: a copy of the process has another one. */
  readonly processId: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Called with the entries of each page after it was taken. */
  readonly onEntries: (entries: readonly KeptRevocation[]) => void;
  /** Called with the reason when a poll came to nothing. */
  readonly onFailure: (reason: string) => void;
  /** Called when a page has renewed the lease. */
  readonly onRenewed: () => void;
  /** Called every second while this guard is not current. */
  readonly onStale: () => void;
}

/** When and as whom a poll was sent. */
interface Sent {
  readonly nonce: string;
  readonly guard: MemberId | undefined;
  readonly monoMs: number;
  readonly wallMs: number;
}

/** How much longer than its hold a poll may take, milliseconds. */
const answerMsMax = 500;
/** Time before the next poll after one that came to nothing, milliseconds: by chance between both. */
const backoffMs = { min: 50, max: 250 };
/** The same after the service has refused the key, which only an operator can change. */
const keyRefusedMs = 10_000;
/** The same after another refusal, once the lease is over. */
const refusedMs = 1000;
/** Shortest time between two registrations that succeed, milliseconds. */
const registerEveryMs = 1000;
/** Time before the next attempt after a registration was refused without saying when, milliseconds. */
const refusedRegistrationMs = 10_000;
/** Most former ids whose rows this guard removes itself; the service removes those of silent guards. */
const formerMax = 10;
/** Time between two looks at what may be forgotten, milliseconds. */
const sweepEveryMs = 1000;
const clockSkewMs = clockSkewSeconds * 1000;

/** What helps against a refusal that lasts. */
const remedies: Readonly<Record<string, string>> = {
  guard_audience_wrong: '; give issuer and audience exactly as the service has them',
  guard_outdated: '; upgrade @catalytic/guard',
};

const saidBy = ({ status, code }: Reply): string =>
  code === undefined
    ? `it answered ${status}, and not as Catalytic does`
    : `it answered ${code}${remedies[code] ?? ''}`;

/** Follows the journal for one guard. */
export class Follower {
  readonly #parts: FollowerParts;
  readonly #lease = new Lease();
  readonly #waiting: Waiting;
  readonly #rounds: PollRounds;
  readonly #forgetMs: () => number;
  #view: View;
  /** What the view covers; `undefined`: nothing. Sent with an id, it acknowledges. */
  #cursor: string | undefined;
  /** The history that view and cursor belong to; `undefined`: none yet. */
  #history: string | undefined;
  #tenant: string | null | undefined;
  /** Whether everything that there was at the beginning is in the view. */
  #isLoaded = false;
  #id: MemberId | undefined;
  /** Ids under which this guard was registered, whose rows are to be removed. */
  #former: MemberId[] = [];
  /** The process that the id belongs to. */
  #processId: number;
  /** Earliest time of the next registration, monotonic milliseconds. */
  #registerAtMs = Number.NEGATIVE_INFINITY;
  /** Whether the service has refused to register this guard for now. */
  #isRefused = false;
  #keepMs = Number.POSITIVE_INFINITY;
  /** Length of the last lease, milliseconds: it says how long polls are held. */
  #leaseMs = guardLeaseMsMin;
  #renewedMonoMs = Number.NEGATIVE_INFINITY;
  #isStopped = false;
  #cancelSweep = (): void => {};

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    this.#view = parts.newView();
    this.#processId = parts.processId();
    this.#waiting = new Waiting(parts.clocks);
    this.#rounds = new PollRounds(parts.clocks, (poll) =>
      this.#poll(poll).catch((error: Error) => this.#failed(error.message)),
    );
    this.#forgetMs = forgettingClock(parts.clocks, () => this.#keepMs);
  }

  /** The revocations. Take it anew for each verdict: another history has another view. */
  get view(): View {
    return this.#view;
  }

  /** The only tenant whose tokens may be accepted; `null`: all; `undefined`: not yet known. */
  get tenant(): string | null | undefined {
    return this.#tenant;
  }

  /** Whether this guard is registered, so that sign-outs wait for it. */
  get isRegistered(): boolean {
    return this.#id !== undefined;
  }

  /**
   * Whether the view may be trusted at this moment. Reads the clocks: call it after the request was
   * read, and never store the answer.
   */
  isCurrent(): boolean {
    const { clocks, processId } = this.#parts;
    return (
      this.#lease.isCurrent(clocks.monoMs(), clocks.wallMs()) && !this.#isStopped && processId() === this.#processId
    );
  }

  /** How long the guard stays current without another page, milliseconds. For metrics. */
  get remainingMs(): number {
    const { clocks } = this.#parts;
    return this.isCurrent() ? this.#lease.remainingMs(clocks.monoMs(), clocks.wallMs()) : 0;
  }

  /** Time since the last poll that renewed the lease was sent; infinite before the first. For metrics. */
  get staleMs(): number {
    return this.#parts.clocks.monoMs() - this.#renewedMonoMs;
  }

  /** Begins to follow. */
  start(): void {
    this.#rounds.start();
    this.#sweep();
  }

  /**
   * Waits until this guard is current, with one poll at once that all who wait share. `false`: it is
   * not in time, or too many wait already.
   */
  untilCurrent(waitMs: number): Promise<boolean> {
    if (this.#isStopped) return Promise.resolve(false);
    const waiting = this.#waiting.wait(waitMs);
    // A poll that is held while the guard is not current was sent before a pause of this process.
    if (!this.isCurrent() && this.#rounds.hurry()) this.#parts.client.abortPoll();
    return waiting;
  }

  /** Accepts nothing again, whatever still arrives; only then leaves. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#lease.end();
    this.#cancelSweep();
    this.#waiting.settle(false);
    this.#parts.client.abortPoll();
    // A registration that is under way would leave its row behind.
    await this.#rounds.stop();
    this.#noticeCopy();
    await this.#leave();
    this.#parts.client.close();
  }

  async #poll({ mayBeHeld, isNewConnection }: NextPoll): Promise<NextPoll> {
    const { client, clocks } = this.#parts;
    const isCopy = this.#noticeCopy();
    if (this.#mustRegister) await this.#register();
    if (this.#isStopped) return atOnce(false);
    const holdMs = mayBeHeld ? this.#holdMs : 0;
    // Both clocks are read before the request is handed to anything: the lease counts from here.
    const sent: Sent = {
      ...{ nonce: randomUUID(), guard: this.#id },
      ...{ monoMs: clocks.monoMs(), wallMs: clocks.wallMs() },
    };
    const reply = await client.poll(
      {
        ...(this.#cursor !== undefined && { after: this.#cursor }),
        ...(sent.guard !== undefined && { guard: sent.guard }),
        ...{ nonce: sent.nonce, wait_ms: holdMs, kinds: entryKinds },
      },
      holdMs + answerMsMax,
      isNewConnection || isCopy,
    );
    // Whatever arrives after the stop grants nothing.
    if (this.#isStopped) return atOnce(false);
    return reply.status === 200 ? this.#take(readPage(reply.value), sent) : this.#refused(reply);
  }

  /** From here to its end in one turn of the event loop: no request may see a lease without its entries. */
  #take(page: ReadPage | undefined, sent: Sent): NextPoll {
    if (page === undefined) throw new Error('its answer is not one of Catalytic');
    if (page.nonce !== sent.nonce || page.guard !== (sent.guard ?? null))
      throw new Error('its answer belongs to another request');
    const isContinued = page.history === this.#history && page.tenant === this.#tenant;
    if (!isContinued && this.#history !== undefined)
      return this.#startOver('its database has another history than before: everything is loaded again');
    const problem = this.#problemOf(page);
    // Nothing of the page is kept: its cursor would acknowledge what the view does not hold.
    if (problem !== undefined) return this.#failed(problem, this.#holdMs);
    this.#view.apply(page.entries);
    this.#cursor = page.cursor;
    this.#history = page.history;
    this.#tenant = page.tenant;
    this.#keepMs = page.keep_ms;
    this.#isLoaded ||= !page.more;
    void this.#parts.keys.follow(page.keys).then(
      () => this.#settle(),
      (error: Error) => this.#parts.onFailure(error.message),
    );
    const next = this.#renew(page, sent);
    this.#parts.onEntries(page.entries);
    return next;
  }

  /** Why a page must not be taken. */
  #problemOf({ isUnderstood, entries }: ReadPage): string | undefined {
    if (!isUnderstood) return 'it revokes what this version does not know; upgrade @catalytic/guard';
    if (!this.#view.hasRoomFor(entries.length)) return 'it has more revocations than the guard has room for';
    return undefined;
  }

  /** Whether a page for this poll may renew the lease: nobody waits for a strict guard without an id. */
  #mayRenew({ guard }: Sent): boolean {
    return guard !== undefined || !this.#parts.isStrict || (this.#isRefused && this.#parts.followsIfRefused);
  }

  #renew(page: ReadPage, sent: Sent): NextPoll {
    const { clocks, onRenewed } = this.#parts;
    const aheadMs = clockAheadMs(sent.wallMs, page.now, clocks.wallMs());
    if (Math.abs(aheadMs) > clockSkewMs) {
      this.#lease.end();
      const seconds = Math.round(Math.abs(aheadMs) / 1000);
      const where = aheadMs > 0 ? 'ahead of' : 'behind';
      this.#parts.onFailure(`the clock of this machine is ${seconds} s ${where} its clock`);
      // Held like any other: it accepts nothing, and sign-outs wait for what it acknowledges.
      return atOnce(true);
    }
    if (page.more) return atOnce(false);
    // Without an id a strict guard only follows: no sign-out waits for it, so it accepts nothing.
    if (!this.#mayRenew(sent)) return atOnce(!this.#mustRegister);
    if (page.lease_ms === 0) return this.#failed('it does not know at this moment which tokens are alive');
    this.#lease.renew(sent.monoMs, sent.wallMs, page.lease_ms);
    this.#renewedMonoMs = sent.monoMs;
    if (sent.guard === undefined) this.#leaseMs = Math.max(guardLeaseMsMin, page.lease_ms);
    // Not earlier: until this page, sign-outs had to wait for the former row.
    else void this.#leaveFormer();
    if (this.isCurrent()) onRenewed();
    this.#settle();
    // A worker that has not read for half of the lease may soon be unable to renew it.
    return { ...atOnce(true), isNewConnection: page.lease_ms < this.#leaseMs / 2 };
  }

  #settle(): void {
    if (this.#parts.keys.isLoaded && this.isCurrent()) this.#waiting.settle(true);
  }

  get #mustRegister(): boolean {
    const { isStrict, clocks } = this.#parts;
    return isStrict && this.#id === undefined && this.#isLoaded && clocks.monoMs() >= this.#registerAtMs;
  }

  get #holdMs(): number {
    return Math.floor(holdMsMax(this.#leaseMs));
  }

  get #backoffMs(): number {
    return backoffMs.min + this.#parts.random() * (backoffMs.max - backoffMs.min);
  }

  /** Registers, or notes when to try again. A guard that is refused goes on following. */
  async #register(): Promise<void> {
    const { client, clocks, audience, name } = this.#parts;
    const reply = await client.register({ audience, name, kinds: entryKinds }).catch((error: Error) => error);
    if (reply instanceof Error) {
      this.#registerAtMs = clocks.monoMs() + this.#backoffMs;
      return this.#parts.onFailure(reply.message);
    }
    const { guard, lease_ms: leaseMs } = (reply.value ?? {}) as Partial<Registered>;
    if (reply.status < 300 && typeof guard === 'string' && typeof leaseMs === 'number') {
      this.#id = guard;
      this.#leaseMs = leaseMs;
      this.#isRefused = false;
      this.#registerAtMs = clocks.monoMs() + registerEveryMs;
      return;
    }
    this.#isRefused ||= reply.status === 429;
    const waitMs = reply.retryAfterMs ?? (reply.status >= 500 ? this.#backoffMs : refusedRegistrationMs);
    this.#registerAtMs = clocks.monoMs() + waitMs;
    this.#parts.onFailure(`it does not register this guard: ${saidBy(reply)}`);
  }

  #refused(reply: Reply): NextPoll {
    const { status, code } = reply;
    // Marked while alive: this guard keeps its view, its cursor and the lease that still runs.
    if (code === 'guard_not_live' && this.#id !== undefined) {
      this.#former = [this.#id, ...this.#former].slice(0, formerMax);
      this.#id = undefined;
      this.#parts.onFailure(saidBy(reply));
      return { ...atOnce(false), isNewConnection: true };
    }
    if (code === 'guard_cursor_invalid' && this.#cursor !== undefined)
      return this.#startOver(`${saidBy(reply)}: everything is loaded again`);
    if (status === 401) return this.#failed(`${saidBy(reply)}: the guard key is refused`, keyRefusedMs, keyRefusedMs);
    // While the lease runs there is no patience: another worker may take what this one refuses.
    const isPatient = status < 500 && !this.isCurrent();
    return this.#failed(saidBy(reply), isPatient ? refusedMs : undefined);
  }

  #failed(reason: string, delayMs = this.#backoffMs, roundMsMin = backoffMs.min): NextPoll {
    if (!this.#isStopped) this.#parts.onFailure(reason);
    return { delayMs, roundMsMin, isNewConnection: true, mayBeHeld: false };
  }

  /** Another history may lack what the view holds, and hold what the cursor covers. */
  #startOver(reason: string): NextPoll {
    this.#lease.end();
    // Nothing is accepted until a page renews the lease of another id, so the rows may go at once.
    void this.#leave();
    this.#view = this.#parts.newView();
    this.#cursor = undefined;
    this.#history = undefined;
    this.#isLoaded = false;
    return this.#failed(reason);
  }

  /** A copy of the process that made this guard has no lease, and no id: both belong to that process. */
  #noticeCopy(): boolean {
    const processId = this.#parts.processId();
    if (processId === this.#processId) return false;
    this.#lease.end();
    this.#id = undefined;
    this.#former = [];
    this.#processId = processId;
    return true;
  }

  /** Removes the rows of this guard. Call it only when nothing will be accepted under its ids. */
  async #leave(): Promise<void> {
    if (this.#id !== undefined) this.#former.unshift(this.#id);
    this.#id = undefined;
    await this.#leaveFormer();
  }

  async #leaveFormer(): Promise<void> {
    const leaving = this.#former.splice(0).map(async (id) => {
      const isAnswered = await this.#parts.client.leave(id).then(
        ({ status }) => status < 500,
        () => false,
      );
      // The next page that renews tries again; until the row is gone, every sign-out waits for it.
      if (!isAnswered) this.#former = [...this.#former, id].slice(0, formerMax);
    });
    await Promise.all(leaving);
  }

  #sweep(): void {
    this.#view.sweep(this.#forgetMs());
    if (!this.isCurrent()) this.#parts.onStale();
    this.#cancelSweep = this.#parts.clocks.after(sweepEveryMs, () => this.#sweep());
  }
}
