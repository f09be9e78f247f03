/**
 * The path that a client has asked a gateway for, in one spelling.
 * @module
 */
import type { IncomingMessage } from 'node:http';

/** Where a path may stand: in a field that the gateway sets, or as the path of the request itself. */
export const pathSources = ['x-original-uri', 'x-forwarded-uri', 'request'] as const;

/** One of {@link pathSources}. */
export type PathSource = (typeof pathSources)[number];

/**
 * The target that the client has asked for, as the gateway has sent it.
 * @returns `undefined` when the field is missing or comes twice: then no rule can be judged
 */
export const originalTarget = ({ url, headersDistinct }: IncomingMessage, source: PathSource): string | undefined => {
  if (source === 'request') return url;
  const values = headersDistinct[source] ?? [];
  return values.length === 1 ? values[0] : undefined;
};

/** What one server reads as a separator, an end or an escape, and the next one as a letter. */
const ambiguous = /[^\x20-\u{10ffff}]|[\x7f;\\?#]|%[0-9a-f]{2}|\/\/|[. ](?:\/|$)/iu;

/**
 * Folds letters as the most tolerant of servers does: several find `/Admin` and `/ADMIN` where
 * `/admin` is. First to upper case, because `ſ` and `ı` become ASCII letters in that direction only.
 */
const fold = (text: string): string => text.toUpperCase().toLowerCase();

/**
 * The path of a target, decoded and in lower case.
 * @param target path with an optional query (RFC 9112 section 3.2.1)
 * @returns `undefined` for a path that servers could read in different ways: another scheme than a
 *   path, empty and dot segments, parameters after `;`, encoded or doubly encoded separators, bytes
 *   that are not UTF-8. No rule could be sure of it, so nobody may pass
 */
export const pathOf = (target: string): string | undefined => {
  const [raw = ''] = target.split('?', 1);
  if (!raw.startsWith('/') || !/^[\x21-\x7e]+$/.test(raw) || /%2f/i.test(raw)) return undefined;
  try {
    const path = decodeURIComponent(raw);
    return ambiguous.test(path) ? undefined : fold(path);
  } catch {
    return undefined;
  }
};
