/**
 * The signing keys that the service publishes, as a guard knows them.
 * @module
 */
import type { Reply } from './revocations-client.ts';
import { importKey, type PublishedKey, type VerificationKey } from './verification-key.ts';

/** What the keys work with. */
export interface PublishedKeysParts {
  /** Fetches the published keys. */
  readonly fetch: () => Promise<Reply>;
  /** Monotonic clock, milliseconds. */
  readonly monoMs: () => number;
}

/** Most keys that are read: a deployment has a few. */
const keysMax = 1000;
/**
 * Shortest time between two fetches, milliseconds: workers that do not agree for a moment would have
 * the keys fetched at every page.
 */
const fetchEveryMs = 1000;

/** The opaque part of an entity tag (RFC 9110 section 8.8.3). */
const opaque = (tag: string): string => tag.replace(/^(?:W\/)?"(.*)"$/, '$1');

const readKeys = (value: unknown): readonly VerificationKey[] => {
  const { keys } = (typeof value === 'object' && value !== null ? value : {}) as { readonly keys?: unknown };
  if (!Array.isArray(keys) || keys.length > keysMax) throw new Error('its answer is no list of keys');
  const published = (keys as readonly Partial<PublishedKey>[]).filter(
    (key): key is PublishedKey => typeof key?.kid === 'string',
  );
  return published.map(importKey).filter((key) => key !== undefined);
};

/** The keys. */
export class PublishedKeys {
  readonly #parts: PublishedKeysParts;
  #byHeader = new Map<string, VerificationKey>();
  /** What pages say of the keys that were fetched; `undefined`: none were. */
  #version: string | undefined;
  /** What the last page said. */
  #wanted: string | undefined;
  #fetching: Promise<void> | undefined;
  #fetchedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: PublishedKeysParts) {
    this.#parts = parts;
  }

  /** The key whose tokens carry exactly this header. */
  readonly find = (header: string): VerificationKey | undefined => this.#byHeader.get(header);

  /** Whether a key is still published. Ask for each token: a checked signature is remembered for longer. */
  isAlive(key: VerificationKey): boolean {
    return this.#byHeader.get(key.header) === key;
  }

  /** Whether there are any. */
  get isLoaded(): boolean {
    return this.#version !== undefined;
  }

  /** Whether these are the keys that the last page spoke of: if not, an unknown key may be a new one. */
  get isUpToDate(): boolean {
    return this.#version !== undefined && this.#version === this.#wanted;
  }

  /**
   * Fetches the keys if they are others than those that were fetched.
   * @param version what a page says of the keys
   * @throws when they cannot be fetched; the next page tries again
   */
  async follow(version: string): Promise<void> {
    this.#wanted = opaque(version);
    if (this.isUpToDate) return;
    const { monoMs } = this.#parts;
    if (this.#fetching === undefined && monoMs() - this.#fetchedMs < fetchEveryMs) return;
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    await this.#fetching;
  }

  async #fetch(): Promise<void> {
    const version = this.#wanted;
    this.#fetchedMs = this.#parts.monoMs();
    const { status, value, etag } = await this.#parts.fetch();
    if (status !== 200) throw new Error(`it answered ${status} when it was asked for its signing keys`);
    // A known key stays the same object: by it, `isAlive` recognises the key of a remembered token.
    const sameOrNew = (key: VerificationKey): VerificationKey => {
      const known = this.#byHeader.get(key.header);
      return known?.publicKey.equals(key.publicKey) === true ? known : key;
    };
    this.#byHeader = new Map(readKeys(value).map((key) => [key.header, sameOrNew(key)]));
    // A worker behind a balancer may know less than the one that wrote the page, and says so.
    this.#version = etag === undefined ? version : opaque(etag);
  }
}
