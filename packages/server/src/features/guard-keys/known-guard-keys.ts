/**
 * The guard keys that this process has seen. Guards ask several times a second, and the store is
 * asked for each key once.
 * @module
 */
import { isUseDue, useRecordedEveryMs } from '../admin-keys/rules.ts';
import type { GuardKeyStore, KnownGuardKey } from './store.ts';

/**
 * Most keys that are remembered. One more displaces the one that was found first, which costs it a
 * read of the store.
 */
const knownMax = 1000;

/**
 * Remembers keys until the deployment has made or revoked one. An unknown key is not remembered:
 * whoever makes keys up must not fill the memory.
 */
export class GuardKeys {
  readonly #store: Pick<GuardKeyStore, 'findByHash' | 'noteUse'>;
  /** By hash. */
  #known = new Map<string, KnownGuardKey>();
  /** Reads of the store that have not been answered, by hash. */
  #asked = new Map<string, Promise<KnownGuardKey | undefined>>();
  #revision: number | undefined;

  constructor(store: Pick<GuardKeyStore, 'findByHash' | 'noteUse'>) {
    this.#store = store;
  }

  /**
   * Finds a key; a promise only where the store must be asked. Whether its time is over is for the
   * caller to judge, at each use.
   * @param hash SHA-256 of the key
   * @throws {CatalyticError} `store_unavailable`
   */
  find(hash: Buffer): KnownGuardKey | Promise<KnownGuardKey | undefined> {
    const name = hash.toString('base64');
    const known = this.#known.get(name) ?? this.#asked.get(name);
    if (known !== undefined) return known;
    const asked = this.#ask(name, hash, this.#known).finally(() => this.#asked.delete(name));
    this.#asked.set(name, asked);
    return asked;
  }

  /** @param into what was remembered when the store was asked; a later answer changes nothing else */
  async #ask(name: string, hash: Buffer, into: Map<string, KnownGuardKey>): Promise<KnownGuardKey | undefined> {
    const found = await this.#store.findByHash(hash);
    if (found === undefined) return undefined;
    const [oldest] = into.keys();
    if (into.size >= knownMax && oldest !== undefined) into.delete(oldest);
    into.set(name, found);
    return found;
  }

  /** Records that a key was accepted, once a minute at most. Information only: nothing waits for it. */
  noteUse(hash: Buffer, key: KnownGuardKey, nowMs: number): void {
    if (!isUseDue(key, nowMs)) return;
    const name = hash.toString('base64');
    if (this.#known.has(name)) this.#known.set(name, { ...key, lastUsedAtMs: nowMs });
    this.#store.noteUse({ hash, nowMs, everyMs: useRecordedEveryMs }).catch(() => undefined);
  }

  /**
   * Forgets every key if guard keys were made or revoked since the last call. Call it with each read
   * of the journal: a revoked key is refused once this process has read that it may be.
   * @param revision `guard_keys_revision` of the deployment
   */
  revisionIs(revision: number): void {
    if (revision !== this.#revision) this.forget();
    this.#revision = revision;
  }

  /** Forgets every key. Reads under way may have been answered before the change: they fill nothing. */
  forget(): void {
    this.#known = new Map();
    this.#asked = new Map();
  }
}
