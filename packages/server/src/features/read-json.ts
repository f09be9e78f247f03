/**
 * Reads JSON from bytes: the bodies of requests and the lines of imports.
 * @module
 */

/**
 * JSON is UTF-8, exactly: a byte that is no text must not become another password, or another
 * account, than the one sent.
 */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The strings of a valid JSON text: those that name a member are followed by a colon. */
const jsonStrings = /"(?:[^"\\]|\\.)*"\s*(:)?/g;

/**
 * Whether an object of a JSON text has two members of one name. Readers differ in which of them
 * they keep (RFC 8259 section 4), so a filter before the service may have judged the other one.
 * @param value the text as it was parsed
 */
const hasDoubledMembers = (text: string, value: unknown): boolean => {
  let surplus = 0;
  for (const [, colon] of text.matchAll(jsonStrings)) if (colon !== undefined) surplus++;
  // Without recursion, because the text may nest deeper than the stack.
  const parts = [value];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    if (typeof part !== 'object' || part === null) continue;
    const values: readonly unknown[] = Object.values(part);
    if (!Array.isArray(part)) surplus -= values.length;
    for (const each of values) parts.push(each);
  }
  return surplus > 0;
};

/** What the bytes hold, or what is wrong with them. */
export type ReadJson = { readonly value: unknown } | { readonly fault: 'not JSON' | 'doubled member' };

/** Reads a JSON text in UTF-8. The reason of the parser is dropped: it quotes the text, which may hold a password. */
export const readJson = (bytes: Buffer): ReadJson => {
  try {
    const text = utf8.decode(bytes);
    const value: unknown = JSON.parse(text);
    return hasDoubledMembers(text, value) ? { fault: 'doubled member' } : { value };
  } catch {
    return { fault: 'not JSON' };
  }
};
