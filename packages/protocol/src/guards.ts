/**
 * How guards follow the journal: the bodies of their requests, and of the answers.
 * @module
 */
import type { MemberId, TenantId } from './ids.ts';
import type { JournalEntry } from './journal.ts';

/** Every kind of journal entry. A guard names the kinds that it knows; it must know all of them. */
export const entryKinds = [
  'token',
  'session',
  'account',
  'tenant',
  'key',
] as const satisfies readonly JournalEntry['kind'][];

/** Most entries on one page. */
export const pageEntriesMax = 10_000;

/** Shortest lease that a guard is given, milliseconds. */
export const guardLeaseMsMin = 2000;
/** Longest lease that a guard is given, milliseconds. */
export const guardLeaseMsMax = 30_000;

/**
 * A guard that follows may accept a token for this many of its leases after the revocation took
 * effect: its clock and those of the workers may run apart by as much as the protocol allows.
 */
export const followedLeases = 1.1;

/**
 * Longest time that a poll is held, milliseconds. It is a fraction of the lease, so that a guard has
 * several attempts before its lease ends.
 * @param leaseMs lease of the guard
 */
export const holdMsMax = (leaseMs: number): number => Math.min(1000, leaseMs / 5);

/** Body of the request for revocations: a *poll*. It is answered when there are some, or after `wait_ms`. */
export interface Poll {
  /** `cursor` of the page before; absent: from the beginning. */
  readonly after?: string;
  /** Id of a registered guard. Asking with it acknowledges what `after` covers. Absent: the guard only follows. */
  readonly guard?: string;
  /** Chosen anew for each request, and repeated in its answer. */
  readonly nonce: string;
  /** How long the request may be held, milliseconds. */
  readonly wait_ms: number;
  /** Kinds of entries that the guard knows. */
  readonly kinds: readonly string[];
}

/** An entry of a page. */
export interface PageEntry {
  readonly kind: JournalEntry['kind'];
  readonly key: string;
  /** Of accounts and tenants. */
  readonly epoch?: number;
  /** Of accounts: only access tokens are outdated, and sessions go on. */
  readonly keeps_sessions?: true;
  /** From when on it may be forgotten, milliseconds since 1970; `null`: never. */
  readonly keep_until: number | null;
}

/** Answer to a {@link Poll}. */
export interface Page {
  readonly nonce: string;
  readonly guard: MemberId | null;
  /** Name of the history of the database. With another one, everything is loaded again under a new id. */
  readonly history: string;
  /** Covers this page and all before. Its structure is known to the service only. */
  readonly cursor: string;
  /** Whether more pages follow at once; then `lease_ms` is 0. */
  readonly more: boolean;
  /** How long the view may be trusted, milliseconds since the request was sent. */
  readonly lease_ms: number;
  /** Wall clock of the service, milliseconds since 1970. */
  readonly now: number;
  /** How long an entry is kept after it is written, milliseconds. */
  readonly keep_ms: number;
  /** Changes with the published signing keys. */
  readonly keys: string;
  /** The only tenant whose tokens the guard may accept; `null`: all. */
  readonly tenant: TenantId | null;
  readonly entries: readonly PageEntry[];
}

/** Body of a registration. */
export interface Registration {
  /** Audience of the tokens that the guard accepts. */
  readonly audience: string;
  /** Tells guards apart in logs and metrics. */
  readonly name: string;
  readonly kinds: readonly string[];
}

/** Answer to a {@link Registration}. */
export interface Registered {
  readonly guard: MemberId;
  /** Its lease, milliseconds. */
  readonly lease_ms: number;
}
