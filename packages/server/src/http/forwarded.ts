/**
 * Reads from headers for whom trusted proxies have forwarded a request: `Forwarded` (RFC 7239) and
 * `X-Forwarded-For`. Pure.
 *
 * Each proxy adds the address of its own peer at the right end. So the list is read from the right,
 * as long as the addresses are those of trusted proxies; the first other one is the caller, whose own
 * text stands to the left of it and is not read.
 * @module
 */
import { canonicalAddress } from './ip-address.ts';

/**
 * The elements of a list, the right one first, split at commas outside of quoted strings. No text to
 * the left of an element changes how the element is read, not even an open quote.
 */
const elementsFromRight = function* (list: string): Generator<string> {
  let end = list.length;
  let isQuoted = false;
  for (let index = end - 1; index >= 0; index--) {
    const character = list[index];
    if (character === ',' && !isQuoted) {
      yield list.slice(index + 1, end);
      end = index;
    } else if (character === '"') {
      let backslashes = 0;
      while (list[index - 1 - backslashes] === '\\') backslashes++;
      if (backslashes % 2 === 0) isQuoted = !isQuoted;
    }
  }
  yield list.slice(0, end);
};

/** `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::7`, `[2001:db8::7]` or `[2001:db8::7]:4711`. */
const addressOfNode = (node: string): string | undefined => {
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(node);
  const withPort = /^([\d.]+):\d{1,5}$/.exec(node);
  return canonicalAddress(bracketed?.[1] ?? withPort?.[1] ?? node);
};

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
/** One pair of an element (RFC 7239 section 4), and what ends it. */
const pairPattern = new RegExp(`\\s*(${token})=(?:(${token})|"((?:[^"\\\\]|\\\\.)*)")\\s*(?:;|$)`, 'y');

/** The address in the one `for` parameter of an element; `undefined` for anything else. */
const addressOfElement = (element: string): string | undefined => {
  let node: string | undefined;
  for (let index = 0; index < element.length; index = pairPattern.lastIndex) {
    pairPattern.lastIndex = index;
    const [, name, word, quoted] = pairPattern.exec(element) ?? [];
    if (name === undefined) return undefined;
    if (name.toLowerCase() !== 'for') continue;
    if (node !== undefined) return undefined;
    node = word ?? quoted?.replaceAll(/\\(.)/g, '$1');
  }
  return node === undefined ? undefined : addressOfNode(node);
};

/** The headers, and how an element of each is read. */
const readers = {
  forwarded: addressOfElement,
  'x-forwarded-for': (element: string) => addressOfNode(element.trim()),
} as const;

/** A header that names the peers of proxies. */
export type ForwardingHeader = keyof typeof readers;

/**
 * The caller as trusted proxies name it. An element that holds no address, such as `unknown`, ends
 * the search: the caller is then the last address before it.
 * @param list value of the header; several headers of the name are joined by commas
 * @param peer the trusted proxy that has sent the request
 * @param isProxy whether an address is that of a trusted proxy
 */
export const forwardedCaller = (
  header: ForwardingHeader,
  list: string,
  peer: string,
  isProxy: (address: string) => boolean,
): string => {
  let caller = peer;
  for (const element of elementsFromRight(list)) {
    const address = readers[header](element);
    if (address === undefined) return caller;
    caller = address;
    if (!isProxy(address)) return caller;
  }
  return caller;
};
