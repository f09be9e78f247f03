/**
 * The view: this process's in-memory copy of the journal's live entries. Look-ups are synchronous
 * and allocate nothing.
 * @module
 */
import type { AccessTokenClaims } from '@catalytic/protocol/claims';
import { entryId, type JournalEntry, type Revocation } from '@catalytic/protocol/journal';

/** What the view keeps of an entry; where it came from makes no difference. */
export type KeptRevocation = Revocation & Pick<JournalEntry, 'keepUntilMs'>;

interface Raised {
  readonly epoch: number;
  /** The highest epoch with which sessions ended; 0: none did. */
  readonly endedEpoch: number;
  readonly keepUntilMs: number;
}

/** Most entries one sweep looks at, so that a sweep never holds the event loop for long. */
const sweepEntriesMax = 10_000;

/**
 * A Map has room for 2^24 entries, and what was deleted takes its room until half of it is gone:
 * only with half of it alive does every sweep make room again. Beyond that a Map throws.
 */
const usualEntriesMax = 8_000_000;

/**
 * An entry that came over the bus, or from this process, before a read of the journal has shown it.
 */
interface Heard {
  readonly entry: JournalEntry;
  /** Its number in the order of hearing, from 1. */
  readonly number: number;
  /** Whether this process has committed it itself. */
  readonly isOwn: boolean;
  /**
   * When a read that was sent later first failed to show it, monotonic milliseconds; `undefined`:
   * no such read yet.
   */
  missingSinceMs?: number;
}

/**
 * How long a heard entry counts although the journal does not show it, milliseconds. The database
 * may have lost the entry. Only the process that committed it can notice that, and it writes the
 * entry back within this time.
 */
const missingMsMax = 5000;

/**
 * Revocations by kind. Entries of the journal are added by {@link View.apply} only, and dropped by
 * {@link View.sweep} only. Heard entries are kept apart, until a read of the journal that was sent
 * later must have shown them.
 */
export class View {
  readonly #tokens = new Map<string, number>();
  readonly #sessions = new Map<string, number>();
  readonly #accounts = new Map<string, Raised>();
  readonly #tenants = new Map<string, Raised>();
  readonly #keys = new Set<string>();
  readonly #entriesMax: number;
  #heard: Heard[] = [];
  #heardCount = 0;
  /** Latest time that a sweep was given, milliseconds since 1970. */
  #sweptMs = Number.NEGATIVE_INFINITY;
  /** The heard entries as a view; `undefined` without any, which is the usual case. */
  #heardView: View | undefined;

  /** @param entriesMax entries held at most, of all kinds together @default 8,000,000 */
  constructor(entriesMax = usualEntriesMax) {
    this.#entriesMax = entriesMax;
  }

  /**
   * Whether the view accepts no more entries, not even known ones, until a sweep has dropped some.
   */
  get isFull(): boolean {
    return this.size >= this.#entriesMax;
  }

  /** Whether so many further entries have room. */
  hasRoomFor(entries: number): boolean {
    return this.size + entries <= this.#entriesMax;
  }

  /** Number of entries held, heard ones included. */
  get size(): number {
    const own = this.#tokens.size + this.#sessions.size + this.#accounts.size + this.#tenants.size + this.#keys.size;
    return own + this.#heard.length;
  }

  /**
   * Number of entries heard so far. A read of the journal that is sent now shows all of them that
   * the database has.
   */
  get heardCount(): number {
    return this.#heardCount;
  }

  /**
   * Adds committed entries that did not come from a read of the journal.
   * @param isOwn whether this process has committed them itself
   * @returns as {@link View.apply}
   */
  hear(entries: readonly JournalEntry[], isOwn = false): boolean {
    // A sign-out repeated after all its tokens have expired names a row that the journal may never
    // show to a reader again.
    const needed = entries.filter(({ keepUntilMs }) => keepUntilMs === null || keepUntilMs >= this.#sweptMs);
    if (this.size + needed.length > this.#entriesMax) return false;
    if (needed.length === 0) return true;
    this.#heardView ??= new View(this.#entriesMax);
    for (const entry of needed) this.#heard.push({ entry, number: ++this.#heardCount, isOwn });
    return this.#heardView.apply(needed);
  }

  /**
   * Whether the database has lost an entry that this process committed. Ask after a read of the
   * journal has been applied.
   * @param count {@link View.heardCount} when the read was sent
   */
  hasLost(count: number): boolean {
    return this.#heard.some(({ entry, number, isOwn }) => isOwn && number <= count && !this.#has(entry));
  }

  /**
   * Drops heard entries after a read of the journal has been applied, if they were heard before it
   * was sent. It drops those that the database has, because the view holds them by now, and those
   * that no read has shown for {@link missingMsMax}.
   * @param count {@link View.heardCount} when the read was sent
   * @param nowMs monotonic clock
   * @returns the dropped entries that the database does not have
   */
  forgetHeard(count: number, nowMs: number): readonly JournalEntry[] {
    if (this.#heardView === undefined) return [];
    const missing: JournalEntry[] = [];
    const kept = this.#heard.filter((heard) => {
      if (heard.number > count) return true;
      if (this.#has(heard.entry)) return false;
      heard.missingSinceMs ??= nowMs;
      if (nowMs - heard.missingSinceMs < missingMsMax) return true;
      missing.push(heard.entry);
      return false;
    });
    if (kept.length === this.#heard.length) return [];
    this.#heard = kept;
    this.#heardView = undefined;
    if (this.#heard.length > 0) {
      this.#heardView = new View(this.#entriesMax);
      this.#heardView.apply(this.#heard.map(({ entry }) => entry));
    }
    return missing;
  }

  /**
   * Adds entries. Order and repetition do not matter: the strictest of all applied entries holds.
   * @returns whether all were added, which needs room and a known kind. After `false` the view must
   *   not be trusted
   */
  apply(entries: readonly KeptRevocation[]): boolean {
    let isUnderstood = true;
    for (const entry of entries) {
      if (this.isFull) return false;
      const keepUntilMs = entry.keepUntilMs ?? Number.POSITIVE_INFINITY;
      switch (entry.kind) {
        case 'token':
          keepLonger(this.#tokens, entry.key, keepUntilMs);
          break;
        case 'session':
          keepLonger(this.#sessions, entry.key, keepUntilMs);
          break;
        case 'account':
          raise(this.#accounts, entry.key, entry.epoch, keepUntilMs, entry.keepsSessions);
          break;
        case 'tenant':
          raise(this.#tenants, entry.key, entry.epoch, keepUntilMs);
          break;
        case 'key':
          this.#keys.add(entry.key);
          break;
        default:
          entry satisfies never;
          // A newer version wrote this entry.
          isUnderstood = false;
      }
    }
    return isUnderstood;
  }

  /** Every entry held. */
  *entries(): Generator<JournalEntry> {
    const entry = (kind: JournalEntry['kind'], key: string, keepUntilMs: number | null, epoch?: object) => {
      const revocation = { kind, key, ...epoch } as Revocation;
      const isForEver = keepUntilMs === Number.POSITIVE_INFINITY;
      return { ...revocation, id: entryId(revocation), keepUntilMs: isForEver ? null : keepUntilMs } as JournalEntry;
    };
    for (const [key, keepUntilMs] of this.#tokens) yield entry('token', key, keepUntilMs);
    for (const [key, keepUntilMs] of this.#sessions) yield entry('session', key, keepUntilMs);
    for (const [key, { epoch, endedEpoch, keepUntilMs }] of this.#accounts) {
      if (endedEpoch > 0) yield entry('account', key, keepUntilMs, { epoch: endedEpoch });
      if (epoch > endedEpoch) yield entry('account', key, keepUntilMs, { epoch, keepsSessions: true });
    }
    for (const [key, { epoch, keepUntilMs }] of this.#tenants) yield entry('tenant', key, keepUntilMs, { epoch });
    for (const key of this.#keys) yield entry('key', key, null);
    if (this.#heardView !== undefined) yield* this.#heardView.entries();
  }

  /** Whether any entry names this token, its session, its key, or an epoch above its own. */
  isRevoked(claims: AccessTokenClaims, kid: string): boolean {
    return (
      this.#sessions.has(claims.sid) ||
      this.#tokens.has(claims.jti) ||
      this.#keys.has(kid) ||
      claims.aep < (this.#accounts.get(claims.sub)?.epoch ?? 0) ||
      claims.tep < (this.#tenants.get(claims.tid)?.epoch ?? 0) ||
      this.#heardView?.isRevoked(claims, kid) === true
    );
  }

  /**
   * Whether a revoked token is only outdated: its session goes on, and a refresh yields a token that
   * is accepted. Off the hot path: ask it after {@link View.isRevoked}.
   */
  isOnlyOutdated(claims: AccessTokenClaims, kid: string): boolean {
    return (
      !this.#sessions.has(claims.sid) &&
      !this.#tokens.has(claims.jti) &&
      !this.#keys.has(kid) &&
      claims.aep >= (this.#accounts.get(claims.sub)?.endedEpoch ?? 0) &&
      claims.tep >= (this.#tenants.get(claims.tid)?.epoch ?? 0) &&
      this.#heardView?.isOnlyOutdated(claims, kid) !== false
    );
  }

  /** Whether an entry names this signing key. */
  isKeyRevoked(kid: string): boolean {
    return this.#keys.has(kid) || this.#heardView?.isKeyRevoked(kid) === true;
  }

  #has(entry: JournalEntry): boolean {
    switch (entry.kind) {
      case 'token':
        return this.#tokens.has(entry.key);
      case 'session':
        return this.#sessions.has(entry.key);
      case 'account':
        return this.#hasEpoch(this.#accounts.get(entry.key), entry);
      case 'tenant':
        return (this.#tenants.get(entry.key)?.epoch ?? 0) >= entry.epoch;
      case 'key':
        return this.#keys.has(entry.key);
    }
  }

  #hasEpoch(raised: Raised | undefined, entry: { readonly epoch: number; readonly keepsSessions?: true }): boolean {
    const epoch = entry.keepsSessions === true ? raised?.epoch : raised?.endedEpoch;
    return (epoch ?? 0) >= entry.epoch;
  }

  /**
   * Drops entries whose tokens have all expired. Starts with the oldest and stops at the first one
   * still needed. Entries arrive nearly in the order of their `keepUntilMs`, so a later sweep drops
   * what this one leaves behind.
   * @param nowMs wall clock, milliseconds since 1970
   */
  sweep(nowMs: number): void {
    this.#sweptMs = Math.max(this.#sweptMs, nowMs);
    sweepMap(this.#tokens, nowMs, (keepUntilMs) => keepUntilMs);
    sweepMap(this.#sessions, nowMs, (keepUntilMs) => keepUntilMs);
    sweepMap(this.#accounts, nowMs, (raised) => raised.keepUntilMs);
    sweepMap(this.#tenants, nowMs, (raised) => raised.keepUntilMs);
  }
}

const keepLonger = (map: Map<string, number>, key: string, keepUntilMs: number): void => {
  const known = map.get(key);
  // Deleted first, so that the entry moves to the young end of the map, where the sweep expects it.
  if (known !== undefined) map.delete(key);
  map.set(key, known === undefined ? keepUntilMs : Math.max(known, keepUntilMs));
};

const raise = (
  map: Map<string, Raised>,
  key: string,
  epoch: number,
  keepUntilMs: number,
  keepsSessions = false,
): void => {
  const known = map.get(key);
  if (known !== undefined) map.delete(key);
  map.set(key, {
    epoch: Math.max(epoch, known?.epoch ?? 0),
    endedEpoch: Math.max(keepsSessions ? 0 : epoch, known?.endedEpoch ?? 0),
    keepUntilMs: Math.max(keepUntilMs, known?.keepUntilMs ?? 0),
  });
};

const sweepMap = <Value>(map: Map<string, Value>, nowMs: number, keepUntilMsOf: (value: Value) => number): void => {
  let looked = 0;
  for (const [key, value] of map) {
    if (keepUntilMsOf(value) >= nowMs || ++looked > sweepEntriesMax) return;
    map.delete(key);
  }
};
