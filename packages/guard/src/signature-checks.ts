/**
 * "This key signed these bytes": the only thing about a token that may be remembered.
 * @module
 */
import type { AccessTokenClaims } from '@catalytic/protocol/claims';
import type { ErrorCode } from '@catalytic/protocol/errors';
import { algorithmNames, signatureHolds } from './algorithms.ts';
import { type CompactForm, parseCompactForm, parseSegment } from './compact-form.ts';
import { readClaims } from './read-claims.ts';
import { encodedHeader, type VerificationKey } from './verification-key.ts';

/**
 * A token whose form and signature hold. Whether it is *accepted* is decided by the verdict, again
 * on every use.
 */
export interface SignedToken {
  readonly claims: AccessTokenClaims;
  readonly key: VerificationKey;
}

/** Finds the key whose tokens carry exactly this encoded header. */
export type FindKey = (header: string) => VerificationKey | undefined;

/**
 * Checks tokens and remembers, in a bounded amount of memory, which of them a key has signed. The
 * memory is keyed on the whole compact form and holds no verdict: expiry, issuer, audience,
 * retirement of the key and revocations are judged on every use.
 */
export class SignatureChecks {
  readonly #findKey: FindKey;
  readonly #charactersMax: number;
  // Two generations. When the young one is full, or its first token has expired, it becomes the old
  // one. That is bounded and O(1), and never drops a token in use.
  #young = new Map<string, SignedToken>();
  #old = new Map<string, SignedToken>();
  /** Characters of the tokens of the young generation. */
  #youngCharacters = 0;
  /** When the first token of the young generation expires, seconds since 1970. */
  #youngExp = Number.POSITIVE_INFINITY;

  /**
   * @param charactersMax most characters of the remembered tokens, in each of two generations: by
   *   default 16,384 tokens of the usual 700 characters. An entry takes about three bytes for each
   */
  constructor(findKey: FindKey, charactersMax = 16_384 * 700) {
    this.#findKey = findKey;
    this.#charactersMax = charactersMax;
  }

  /** The signed token, if this process remembers it. `undefined` says nothing about the token. */
  remembered(token: string): SignedToken | undefined {
    return this.#young.get(token) ?? this.#promote(token);
  }

  /**
   * Checks form, header and signature.
   * @returns the signed token, or the code of the first fault
   */
  check(token: string): SignedToken | ErrorCode {
    const known = this.remembered(token);
    if (known !== undefined) return known;
    const form = parseCompactForm(token);
    if (form === undefined) return 'token_malformed';
    const key = this.#findKey(form.header);
    if (key === undefined) return this.#explainHeader(form);
    const bytes = Buffer.from(token.slice(0, form.header.length + 1 + form.payload.length), 'latin1');
    if (!signatureHolds(key.algorithm, key.publicKey, bytes, Buffer.from(form.signature, 'base64url')))
      return 'token_signature_invalid';
    const payload = parseSegment(form.payload);
    const claims = payload === undefined ? undefined : readClaims(payload);
    if (claims === undefined) return 'token_malformed';
    const signed: SignedToken = { claims, key };
    this.remember(token, signed);
    return signed;
  }

  /** Remembers a token that this process has just signed. */
  remember(token: string, signed: SignedToken): void {
    const { iat, exp } = signed.claims;
    // No clock is read: a token that was issued after the first one expired shows that its time is
    // over.
    if (this.#youngCharacters + token.length > this.#charactersMax || iat > this.#youngExp) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngCharacters = 0;
    }
    if (this.#young.size === 0) this.#youngExp = exp;
    this.#youngCharacters += token.length;
    this.#young.set(token, signed);
  }

  #promote(token: string): SignedToken | undefined {
    const signed = this.#old.get(token);
    if (signed !== undefined) this.remember(token, signed);
    return signed;
  }

  /** No key has this header: finds the rule that it breaks. Off the hot path. */
  #explainHeader(form: CompactForm): ErrorCode {
    const header = parseSegment(form.header);
    if (header === undefined) return 'token_malformed';
    if (header['typ'] !== 'at+jwt') return 'token_type_wrong';
    const { kid, alg } = header;
    if (typeof alg !== 'string') return 'token_malformed';
    if (!(algorithmNames as readonly string[]).includes(alg)) return 'token_algorithm_refused';
    if (typeof kid !== 'string') return 'token_key_unknown';
    for (const candidate of algorithmNames) {
      const key = this.#findKey(encodedHeader(candidate, kid));
      // The key exists. Either the header asks for another algorithm, or it differs from ours
      // otherwise (`crit`, `jku`, another order).
      if (key !== undefined) return alg === key.algorithm ? 'token_malformed' : 'token_algorithm_refused';
    }
    return 'token_key_unknown';
  }
}
