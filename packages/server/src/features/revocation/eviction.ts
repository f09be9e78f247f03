/**
 * Eviction: a member that does not answer is marked as leaving, and removed a full wait later. Only
 * the clock of this process decides. No row is removed because a time written in it has passed.
 * @module
 */
import type { Clocks } from '@catalytic/guard/clocks';
import type { MemberId } from '@catalytic/protocol/ids';
import type { RevocationObserver } from './observer.ts';
import { fullWaitMs, longestLeaseMs, silenceMs } from './rules.ts';
import type { Member, MemberStore } from './store.ts';

/** What eviction works with. */
export interface EvictionParts {
  readonly members: MemberStore;
  readonly clocks: Clocks;
  readonly onProblem: (message: string, error?: unknown) => void;
  readonly observer?: RevocationObserver | undefined;
}

/** Evicts members. */
export class Eviction {
  readonly #parts: EvictionParts;
  readonly #evicted = new Map<MemberId, { readonly startedMs: number; removedAtMs: number }>();

  constructor(parts: EvictionParts) {
    this.#parts = parts;
  }

  /**
   * Whether a member will not answer before `untilMs` (monotonic): it has had time to notice its
   * mark and to register under a new id, and its row will not be removed earlier.
   */
  isLost(id: MemberId, untilMs: number): boolean {
    const evicted = this.#evicted.get(id);
    if (evicted === undefined || evicted.removedAtMs <= untilMs) return false;
    return this.#parts.clocks.monoMs() - evicted.startedMs >= silenceMs.worker;
  }

  /**
   * Marks members and removes them after a full wait of their leases. A member that another process
   * has marked is marked again, because that process may have died: the wait counts from a mark by
   * this process.
   */
  start(members: readonly Pick<Member, 'id' | 'leaseMs'>[]): void {
    const fresh = members.filter(({ id }) => !this.#evicted.has(id));
    if (fresh.length === 0) return;
    const startedMs = this.#parts.clocks.monoMs();
    const ids = fresh.map(({ id }) => id);
    // A member is removed only after its mark is known to be durable.
    for (const id of ids) this.#evicted.set(id, { startedMs, removedAtMs: Number.POSITIVE_INFINITY });
    this.#evict(ids, longestLeaseMs(fresh)).then(
      () => this.#forget(ids),
      (error: unknown) => {
        this.#forget(ids);
        this.#parts.onProblem('Cannot evict silent members; the next revocation tries again', error);
      },
    );
  }

  async #evict(ids: readonly MemberId[], leaseMs: number): Promise<void> {
    const { members, clocks, onProblem } = this.#parts;
    await members.markLeaving(ids);
    onProblem(`Members do not answer and were marked as leaving: ${ids.join(', ')}`);
    this.#parts.observer?.onMarked(ids.length);
    const waitMs = fullWaitMs(leaseMs);
    const removedAtMs = clocks.monoMs() + waitMs;
    for (const id of ids) {
      const evicted = this.#evicted.get(id);
      if (evicted !== undefined) evicted.removedAtMs = removedAtMs;
    }
    await new Promise<void>((resolve) => clocks.after(waitMs, resolve));
    await members.remove(ids);
  }

  #forget(ids: readonly MemberId[]): void {
    for (const id of ids) this.#evicted.delete(id);
  }
}
