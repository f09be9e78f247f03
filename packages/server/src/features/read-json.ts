/**
 * Reads JSON from bytes: the bodies of requests and the lines of imports.
 * @module
 */

/**
 * JSON is UTF-8, exactly: a byte that is no text must not become another password, or another
 * account, than the one sent.
 */
const utf8 = new TextDecoder('utf-8', { fatal: true });

const backslash = 0x5c;
const colon = 0x3a;

/** Where the string of a valid JSON text ends that begins at `start`: the index of its closing quote. */
const endOfString = (text: string, start: number): number => {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === backslash) backslashes++;
    // A quote after an odd number of them is part of the string.
    if (backslashes % 2 === 0) return end;
  }
};

/** Counts the names of members in a valid JSON text: its strings that a colon follows. */
const countNames = (text: string): number => {
  let names = 0;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at)) {
    at = endOfString(text, at) + 1;
    // Space is all that may stand between (RFC 8259 section 2).
    while (text.charCodeAt(at) <= 0x20) at++;
    if (text.charCodeAt(at) === colon) names++;
  }
  return names;
};

const countColons = (text: string): number => {
  let colons = 0;
  for (let at = text.indexOf(':'); at !== -1; at = text.indexOf(':', at + 1)) colons++;
  return colons;
};

/** Counts the members of all objects in a value, without recursion: it may nest deeper than the stack. */
const countMembers = (value: unknown): number => {
  let members = 0;
  const parts = [value];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    if (typeof part !== 'object' || part === null) continue;
    const values: readonly unknown[] = Object.values(part);
    if (!Array.isArray(part)) members += values.length;
    for (const each of values) if (typeof each === 'object') parts.push(each);
  }
  return members;
};

/**
 * Whether an object of a JSON text has two members of one name. Readers differ in which of them
 * they keep (RFC 8259 section 4), so a filter before the service may have judged the other one.
 * @param value the text as it was parsed
 */
const hasDoubledMembers = (text: string, value: unknown): boolean => {
  const members = countMembers(value);
  // Each name has a colon behind it, so the usual text needs only the quicker count.
  return countColons(text) > members && countNames(text) > members;
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
