/**
 * The signing keys of this process: the one that signs now, those that are published, those whose
 * tokens are accepted, and the retired ones, whose tokens still sign out.
 * @module
 */
import { createPrivateKey, hash, type KeyObject } from 'node:crypto';
import { importKey, type PublishedKey, type VerificationKey } from '@catalytic/guard/verification-key';
import { CatalyticError } from '@catalytic/protocol/errors';
import { unseal } from '../secrets/seal.ts';
import type { Secret } from '../secrets/secret.ts';
import { isRetired, signingKeyAt } from './rules.ts';
import type { SigningKeyStore, StoredSigningKey } from './store.ts';

interface RingKey {
  readonly verification: VerificationKey;
  readonly privateKey: KeyObject;
  readonly published: PublishedKey;
  readonly activatesAtMs: number;
  readonly retiresAtMs: number | null;
}

/** Most retired keys that are remembered: those of a daily rotation over almost three years. */
const retiredMax = 1000;

/** The keys, loaded from the store again every second. Look-ups never touch the store. */
export class KeyRing {
  readonly #store: SigningKeyStore;
  readonly #masterKey: Secret<Buffer>;
  #keys: readonly RingKey[] = [];
  #byHeader = new Map<string, RingKey>();
  #retired = new Map<string, VerificationKey>();
  #isKilled: (kid: string) => boolean = () => false;
  #jwks: { readonly keys: readonly PublishedKey[] } = { keys: [] };
  #jwksTag = '';

  constructor(store: SigningKeyStore, masterKey: Secret<Buffer>) {
    this.#store = store;
    this.#masterKey = masterKey;
  }

  /**
   * Loads the keys of the store. Keys that are open already stay the same objects, so remembered
   * signature checks stay valid.
   * @throws when a private key does not open, because it was sealed with another master key
   */
  async load(nowMs: number): Promise<void> {
    const stored = await this.#store.list();
    const inUse = stored.filter((key) => !isRetired(key, nowMs));
    this.#keys = inUse.map((key) => this.#open(key)).filter((key) => key !== undefined);
    this.#retired = this.#importRetired(stored.filter((key) => isRetired(key, nowMs)).slice(-retiredMax));
    this.#byHeader = new Map(this.#keys.map((key) => [key.verification.header, key]));
    this.#jwks = { keys: this.#keys.map((key) => key.published) };
    this.#jwksTag = hash('sha256', JSON.stringify(this.#jwks), 'base64url');
  }

  /**
   * Signs with no key of which this says that it was killed. The journal reports a killed key sooner
   * than the store is loaded again.
   */
  distrust(isKilled: (kid: string) => boolean): void {
    this.#isKilled = isKilled;
  }

  /**
   * The key that signs at this moment.
   * @throws {CatalyticError} `signing_key_unavailable` for up to a second after the only key was
   *   killed, until its replacement is loaded
   */
  signingKey(nowMs: number): { readonly verification: VerificationKey; readonly privateKey: KeyObject } {
    const key = signingKeyAt(this.#keys, nowMs);
    if (key !== undefined && !this.#isKilled(key.verification.kid)) return key;
    const others = this.#keys.filter(({ verification }) => !this.#isKilled(verification.kid));
    const other = signingKeyAt(others, nowMs);
    if (other !== undefined) return other;
    if (key !== undefined) throw new CatalyticError('signing_key_unavailable', { retryAfterSeconds: 1 });
    // Happens only before the first load, or if this version knows the algorithm of none of the
    // keys.
    throw new CatalyticError('internal_error', { detail: 'Cannot sign: no signing key is active' });
  }

  /** The key whose tokens carry exactly this encoded header, in use or retired. */
  find(header: string): VerificationKey | undefined {
    return this.#byHeader.get(header)?.verification ?? this.#retired.get(header);
  }

  /**
   * Whether tokens of this key are still accepted. Checked on every use of a token, because keys
   * retire.
   */
  isAlive(key: VerificationKey): boolean {
    return this.#byHeader.has(key.header);
  }

  /** The public keys as published (RFC 7517 section 5). */
  jwks(): { readonly keys: readonly PublishedKey[] } {
    return this.#jwks;
  }

  /** Names the published keys: it differs when they differ. */
  get jwksTag(): string {
    return this.#jwksTag;
  }

  /** Imports the public parts; the private ones may be sealed under a former master key. */
  #importRetired(stored: readonly StoredSigningKey[]): Map<string, VerificationKey> {
    const known = new Map([...this.#retired.values()].map((key) => [key.kid, key]));
    const keys = stored.map(({ kid, publicJwk }) => known.get(kid) ?? importKey(JSON.parse(publicJwk) as PublishedKey));
    return new Map(keys.flatMap((key) => (key === undefined ? [] : [[key.header, key]])));
  }

  #open(stored: StoredSigningKey): RingKey | undefined {
    const times = { activatesAtMs: stored.activatesAtMs, retiresAtMs: stored.retiresAtMs };
    const known = this.#keys.find((key) => key.verification.kid === stored.kid);
    if (known !== undefined) return { ...known, ...times };
    const published = JSON.parse(stored.publicJwk) as PublishedKey;
    const verification = importKey(published);
    if (verification === undefined) return undefined;
    const privateKey = createPrivateKey({
      key: unseal(this.#masterKey.reveal(), stored.privateBox, stored.kid),
      format: 'der',
      type: 'pkcs8',
    });
    return { verification, privateKey, published, ...times };
  }
}
