/**
 * Loads: a guard without anything, or one that has fallen far behind, gets the whole journal from
 * the store, page by page.
 * @module
 */
import type { Coverage, PlacedEntry } from '@catalytic/guard/journal-source';
import { CatalyticError } from '@catalytic/protocol/errors';
import { pageEntriesMax } from '@catalytic/protocol/guards';
import type { KnownGuardKey } from '../guard-keys/store.ts';
import { CountsOfKeys } from './counts-of-keys.ts';
import type { Cursor } from './cursor.ts';
import type { GuardStore } from './store.ts';

/** Pages of a load that may be under way to clients at once: each has up to 10,000 entries. */
const loadsMax = 8;
/** The same for one guard key. */
const loadsOfKeyMax = 4;

/** What is asked for. */
interface LoadRequest {
  readonly key: KnownGuardKey;
  /** Sets what happens when the client is gone, or has the answer. */
  readonly onClosed: (listener: () => void) => void;
  readonly cursor: Cursor | undefined;
  /** All that this process has read; `undefined` before its first read. */
  readonly read: Coverage | undefined;
}

/** Loads the journal for guards. */
export class JournalLoads {
  readonly #guards: Pick<GuardStore, 'page'>;
  readonly #ofKeys = new CountsOfKeys();
  #underWay = 0;

  constructor(guards: Pick<GuardStore, 'page'>) {
    this.#guards = guards;
  }

  /**
   * The next page. A load ends where this process had read to when it began: what came later is
   * news.
   * @throws {CatalyticError} `guard_polls_too_many`, `revocation_state_unavailable`,
   *   `store_unavailable`
   */
  async next({ key, onClosed, cursor, read }: LoadRequest): Promise<{
    readonly entries: readonly PlacedEntry[];
    readonly cursor: Cursor;
  }> {
    if (this.#underWay >= loadsMax || this.#ofKeys.of(key) >= loadsOfKeyMax)
      throw new CatalyticError('guard_polls_too_many', { retryAfterSeconds: 1 });
    if (read === undefined) throw new CatalyticError('revocation_state_unavailable', { retryAfterSeconds: 1 });
    this.#underWay++;
    this.#ofKeys.add(key);
    // Until the client has the page: an answer that is not read takes memory.
    onClosed(() => {
      this.#underWay--;
      this.#ofKeys.remove(key);
    });
    const isBegun = cursor?.loaded !== undefined && cursor.coverage.history === read.history;
    const coverage = isBegun ? cursor.coverage : read;
    const { isSameHistory, entries } = await this.#guards.page({
      history: coverage.history,
      after: isBegun ? cursor.loaded : undefined,
      upTo: coverage.upTo,
      tenantId: key.tenantId,
      rowsMax: pageEntriesMax,
    });
    if (!isSameHistory) throw new CatalyticError('revocation_state_unavailable', { retryAfterSeconds: 1 });
    const last = entries.at(-1);
    const isLast = entries.length < pageEntriesMax || last === undefined;
    return { entries, cursor: { coverage, loaded: isLast ? undefined : { place: last.place, id: last.id } } };
  }
}
