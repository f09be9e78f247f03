/**
 * Port: the rows of guards, and the journal as guards load it.
 * @module
 */
import type { PlacedEntry } from '@catalytic/guard/journal-source';
import type { JournalId, MemberId, TenantId } from '@catalytic/protocol/ids';

/** A guard about to be registered. */
export interface NewGuard {
  /** A new id, which no registration has had before. */
  readonly id: MemberId;
  /** Id of the guard key that asks. */
  readonly key: string;
  /** Tells guards apart in logs and metrics. */
  readonly name: string;
  /** Kinds of entries that it knows, with commas between them. */
  readonly kinds: string;
  /** Length of its lease, milliseconds. */
  readonly leaseMs: number;
  /** Most guards that may be registered with its key. */
  readonly perKeyMax: number;
  /** Most guards that may be registered in the deployment. */
  readonly allMax: number;
  readonly nowMs: number;
}

/** What became of a registration. */
export type Registering =
  | {
      /**
       * `no key`: it was revoked. `older version present`: a worker that knows no guards is
       * registered, so that a revocation would not wait for this one as it must.
       */
      readonly outcome: 'registered' | 'no key' | 'too many' | 'older version present';
    }
  | {
      /** Guards with this key have fallen silent again and again. */
      readonly outcome: 'unsteady';
      readonly retryAfterSeconds: number;
    };

/** The last entry of a page. The next page begins after it. */
export interface PageEnd {
  readonly place: bigint;
  readonly id: JournalId;
}

/** The part of the journal that is asked for. */
export interface PageRequest {
  /** Name of the history in which the places are. */
  readonly history: string;
  /** `undefined`: from the beginning. */
  readonly after: PageEnd | undefined;
  /** The last place. */
  readonly upTo: bigint;
  /** Only entries that concern this tenant, or every tenant; `null`: all entries. */
  readonly tenantId: TenantId | null;
  readonly rowsMax: number;
}

/** A page of the journal. */
export interface JournalPart {
  /** Whether the database has the history that was asked for. If not, the entries mean nothing. */
  readonly isSameHistory: boolean;
  /** In the order of their places, and of their ids within a place. */
  readonly entries: readonly PlacedEntry[];
}

/**
 * The rows of guards. They are members' rows: `MemberStore` lists, marks and removes them. Every
 * engine passes `store.contract.ts`.
 */
export interface GuardStore {
  /**
   * Registers a guard as live, if its key and its number allow it. When it resolves, the row is as
   * durable as a revocation. It never changes a row that is there: an id that has one already
   * rejects. Of registrations that race for the last place, one gets it.
   */
  register(guard: NewGuard): Promise<Registering>;
  /**
   * Removes the row of a guard that accepts no token any more.
   * @param guard its id, and the id of the key that asks: only the one that registered it removes it
   * @returns whether there was such a row
   */
  leave(guard: { readonly id: MemberId; readonly key: string }): Promise<boolean>;
  /** Raises `Member.seen`. Losing that in a crash is harmless, so its commit may not be durable. */
  seen(ids: readonly MemberId[]): Promise<void>;
  /** Reads a part of the journal from the primary, in one statement. */
  page(request: PageRequest): Promise<JournalPart>;
}
