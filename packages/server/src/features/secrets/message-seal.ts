/**
 * Seals messages so that only a process of this deployment can write them: HMAC-SHA-256 (RFC 2104),
 * cut to 128 bits as RFC 2104 section 5 allows. An attacker who can write to Redis can repeat a
 * message, which has no effect, but can neither sign an account out nor acknowledge.
 * @module
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

const tagBytes = 16;
/** Length of a tag in base64url without padding. */
const tagCharacters = 22;

/** Seals and opens messages under one key. */
export class MessageSeal {
  readonly #key: KeyObject;

  /** @param key 32 bytes */
  constructor(key: Buffer) {
    this.#key = createSecretKey(key);
  }

  /** Puts the tag in front of the text. */
  seal(text: string): string {
    return this.#tagOf(text).toString('base64url') + text;
  }

  /**
   * The text of a sealed message; `undefined` when it was sealed under another key, or was changed.
   */
  open(sealed: string): string | undefined {
    const text = sealed.slice(tagCharacters);
    const tag = Buffer.from(sealed.slice(0, tagCharacters), 'base64url');
    return tag.length === tagBytes && timingSafeEqual(tag, this.#tagOf(text)) ? text : undefined;
  }

  #tagOf(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest().subarray(0, tagBytes);
  }
}
