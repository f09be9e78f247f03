/**
 * The sign-outs of a service for tests, and the guards that follow them.
 * @module
 */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { holdMsMax, type Page, type PageEntry, type Poll, type Registered } from '@catalytic/protocol/guards';
import type { MemberId, TenantId } from '@catalytic/protocol/ids';

/** How long the entries of this service are kept, milliseconds: longer than any test. */
const keepMs = 3_600_000;

/** What pages say of the keys: they never change. */
const keysOfPages = 'test';

type Answer = (status: number, body: unknown) => void;

/** Sessions that have ended, in their order, and who knows of them. */
export class TestJournal {
  readonly #leaseMs: number;
  readonly #tenant: TenantId | null;
  readonly #ended: string[] = [];
  readonly #history: string = randomUUID();
  readonly #guards = new Set<string>();
  /** How many entries each guard has applied, by its id; one that only follows, by its connection. */
  readonly #applied = new Map<string | Socket, number>();
  readonly #held = new Set<() => void>();
  readonly #waiting = new Set<() => void>();

  /**
   * @param leaseMs length of the leases, milliseconds
   * @param tenant whose tokens guards may accept; absent: all
   */
  constructor(leaseMs: number, tenant?: string) {
    this.#leaseMs = leaseMs;
    this.#tenant = (tenant ?? null) as TenantId | null;
  }

  hasEnded(session: string): boolean {
    return this.#ended.includes(session);
  }

  /** Ends a session. Resolves when every guard that polls has applied it, or can be current no more. */
  end(session: string): Promise<void> {
    this.#ended.push(session);
    const count = this.#ended.length;
    for (const answer of [...this.#held]) answer();
    return new Promise((resolve) => {
      const isDone = (): boolean => [...this.#applied.values()].every((applied) => applied >= count);
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const look = (): void => {
        if (isDone()) settle();
      };
      const timer = setTimeout(settle, this.#leaseMs * 1.2);
      this.#waiting.add(look);
      look();
    });
  }

  register(): Registered {
    const guard = randomUUID() as MemberId;
    this.#guards.add(guard);
    return { guard, lease_ms: this.#leaseMs };
  }

  leave(guard: string): void {
    this.#guards.delete(guard);
    this.#forget(guard);
  }

  /** Answers a poll when there is news, or when it was held for long enough. */
  poll(body: unknown, socket: Socket, answer: Answer): void {
    const { after = '0', guard, nonce, wait_ms: waitMs } = body as Poll;
    if (guard !== undefined && !this.#guards.has(guard)) {
      answer(409, { code: 'guard_not_live' });
      return;
    }
    const poller = guard ?? socket;
    // Before it was registered, the guard has followed over the same connection.
    if (guard !== undefined) this.#applied.delete(socket);
    if (!this.#applied.has(poller)) socket.once('close', () => this.#forget(poller));
    this.#applied.set(poller, Number(after));
    for (const look of [...this.#waiting]) look();
    const give = (): void => {
      clearTimeout(timer);
      this.#held.delete(give);
      answer(200, this.#page(Number(after), nonce, guard));
    };
    const hasNews = Number(after) < this.#ended.length;
    const timer = setTimeout(give, hasNews ? 0 : Math.min(waitMs, holdMsMax(this.#leaseMs)));
    if (!hasNews) this.#held.add(give);
  }

  /** Answers what it holds. */
  close(): void {
    for (const answer of [...this.#held]) answer();
  }

  #forget(poller: string | Socket): void {
    this.#applied.delete(poller);
    for (const look of [...this.#waiting]) look();
  }

  #page(after: number, nonce: string, guard: string | undefined): Page {
    const entries: PageEntry[] = this.#ended.slice(after).map((key) => ({ kind: 'session', key, keep_until: null }));
    return {
      ...{ nonce, guard: (guard ?? null) as MemberId | null, history: this.#history, more: false, entries },
      ...{ cursor: String(this.#ended.length), lease_ms: this.#leaseMs, now: Date.now(), keep_ms: keepMs },
      ...{ keys: keysOfPages, tenant: this.#tenant },
    };
  }
}
