/**
 * The view: this process's in-memory copy of the journal's live entries. Look-ups are synchronous and allocate nothing.
 * @module
 */
import { createHash } from 'node:crypto';
import type { AccessTokenClaims } from '@catalytic/protocol/claims';
import type { JournalId } from '@catalytic/protocol/ids';
import type { JournalEntry } from '@catalytic/protocol/journal';

interface Raised {
  readonly epoch: number;
  readonly keepUntilMs: number;
}

/** Most entries one sweep looks at, so that a sweep never holds the event loop for long. */
const sweepEntriesMax = 10_000;

/**
 * A Map has room for 2^24 entries, and what was deleted takes its room until half of it is gone: only with half of it alive
 * does every sweep make room again. Beyond that a Map throws.
 */
const usualEntriesMax = 8_000_000;

/** Revocations by kind. Entries are only ever added by {@link View.apply} and only dropped by {@link View.sweep}. */
export class View {
  readonly #tokens = new Map<string, number>();
  readonly #sessions = new Map<string, number>();
  readonly #accounts = new Map<string, Raised>();
  readonly #tenants = new Map<string, Raised>();
  readonly #keys = new Set<string>();
  readonly #entriesMax: number;

  /** @param entriesMax entries held at most, of all kinds together @default 8,000,000 */
  constructor(entriesMax = usualEntriesMax) {
    this.#entriesMax = entriesMax;
  }

  /** Whether it takes no more entries, even known ones, until a sweep has dropped some. */
  get isFull(): boolean {
    return this.size >= this.#entriesMax;
  }

  /** Number of entries held. */
  get size(): number {
    return this.#tokens.size + this.#sessions.size + this.#accounts.size + this.#tenants.size + this.#keys.size;
  }

  /**
   * Takes entries over. Order and repetition do not matter: the strictest of all applied entries holds.
   * @returns whether all were taken over, which needs room and a known kind; who gets `false` must not trust this view
   */
  apply(entries: readonly JournalEntry[]): boolean {
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
          raise(this.#accounts, entry.key, entry.epoch, keepUntilMs);
          break;
        case 'tenant':
          raise(this.#tenants, entry.key, entry.epoch, keepUntilMs);
          break;
        case 'key':
          this.#keys.add(entry.key);
          break;
        default:
          entry satisfies never;
          // A newer version wrote it.
          isUnderstood = false;
      }
    }
    return isUnderstood;
  }

  /** Every entry held, under ids made from what they say: whoever writes the same one back writes it once. */
  *entries(): Generator<JournalEntry> {
    const entry = (kind: JournalEntry['kind'], key: string, keepUntilMs: number | null, epoch?: number) =>
      ({
        id: entryId(`${kind} ${key} ${epoch}`),
        kind,
        key,
        keepUntilMs: keepUntilMs === Number.POSITIVE_INFINITY ? null : keepUntilMs,
        ...(epoch === undefined ? {} : { epoch }),
      }) as JournalEntry;
    for (const [key, keepUntilMs] of this.#tokens) yield entry('token', key, keepUntilMs);
    for (const [key, keepUntilMs] of this.#sessions) yield entry('session', key, keepUntilMs);
    for (const [key, { epoch, keepUntilMs }] of this.#accounts) yield entry('account', key, keepUntilMs, epoch);
    for (const [key, { epoch, keepUntilMs }] of this.#tenants) yield entry('tenant', key, keepUntilMs, epoch);
    for (const key of this.#keys) yield entry('key', key, null);
  }

  /** Whether any entry names this token, its session, its key, or an epoch above its own. */
  isRevoked(claims: AccessTokenClaims, kid: string): boolean {
    return (
      this.#sessions.has(claims.sid) ||
      this.#tokens.has(claims.jti) ||
      this.#keys.has(kid) ||
      claims.aep < (this.#accounts.get(claims.sub)?.epoch ?? 0) ||
      claims.tep < (this.#tenants.get(claims.tid)?.epoch ?? 0)
    );
  }

  /**
   * Drops entries whose tokens have all expired. Looks at the oldest first and stops at the first one still needed: entries arrive
   * nearly in the order of their `keepUntilMs`, so what a sweep leaves behind a later one takes.
   * @param nowMs wall clock, milliseconds since 1970
   */
  sweep(nowMs: number): void {
    sweepMap(this.#tokens, nowMs, (keepUntilMs) => keepUntilMs);
    sweepMap(this.#sessions, nowMs, (keepUntilMs) => keepUntilMs);
    sweepMap(this.#accounts, nowMs, (raised) => raised.keepUntilMs);
    sweepMap(this.#tenants, nowMs, (raised) => raised.keepUntilMs);
  }
}

/** A UUID whose bits are chosen by its maker (RFC 9562 section 5.8). */
const entryId = (text: string): JournalId => {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}` as JournalId;
};

const keepLonger = (map: Map<string, number>, key: string, keepUntilMs: number): void => {
  const known = map.get(key);
  // Deleted first so that the entry moves to the young end, where the sweep expects it.
  if (known !== undefined) map.delete(key);
  map.set(key, known === undefined ? keepUntilMs : Math.max(known, keepUntilMs));
};

const raise = (map: Map<string, Raised>, key: string, epoch: number, keepUntilMs: number): void => {
  const known = map.get(key);
  if (known !== undefined) map.delete(key);
  map.set(key, {
    epoch: Math.max(epoch, known?.epoch ?? 0),
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
