/**
 * Decodes bodies that a target has encoded (RFC 9110 section 8.4), as k6 and Python's requests do
 * whether they have asked for it or not.
 * @module
 */
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { bodyBytesMax } from './answer-reader.ts';

/** A small body can decode to one that fills the memory. */
const limits = { maxOutputLength: bodyBytesMax } as const;

/**
 * Some targets send `deflate` without the zlib format that RFC 9110 section 8.4.1.2 asks for: its
 * first byte tells.
 */
const inflate = (body: Buffer): Buffer =>
  ((body[0] ?? 0) & 0x0f) === 8 ? inflateSync(body, limits) : inflateRawSync(body, limits);

const decoders: ReadonlyMap<string, (body: Buffer) => Buffer> = new Map([
  ['gzip', (body) => gunzipSync(body, limits)],
  ['x-gzip', (body) => gunzipSync(body, limits)],
  ['deflate', inflate],
  ['br', (body) => brotliDecompressSync(body, limits)],
  ['zstd', (body) => zstdDecompressSync(body, limits)],
  ['identity', (body) => body],
]);

/** A decoded body as text; `isTruncated` when it is too long to be kept: then the text is empty. */
export interface Decoded {
  readonly text: string;
  readonly isTruncated: boolean;
}

/**
 * Decodes a body. One whose coding the lab does not know is taken as it is.
 * @param coding as the field `content-encoding` names it; the last one was applied last
 * @returns `undefined` when the body does not match its coding
 */
export const decodeContent = (coding: string, body: Buffer): Decoded | undefined => {
  const decoding = coding.split(',').map((name) => decoders.get(name.trim().toLowerCase()));
  try {
    const decoded = decoding.includes(undefined)
      ? body
      : decoding.reduceRight((bytes, decode) => decode?.(bytes) ?? bytes, body);
    return { text: decoded.toString('utf8'), isTruncated: false };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
      ? { text: '', isTruncated: true }
      : undefined;
  }
};
