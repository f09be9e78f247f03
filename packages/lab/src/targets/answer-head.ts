/**
 * The head of an answer: where it ends, and one way of writing for all the ways in which targets
 * write it.
 *
 * The usual head is tested with one regular expression and taken as it came. Any other is brought
 * into that form first, where RFC 9112 says how: bare line feeds (section 2.2), folded fields
 * (section 5.2), white space before a colon (section 5.1).
 * @module
 */

/**
 * Bytes of the status line and all fields of an answer. Go's client allows 1 MiB, Node's servers
 * write at most 16 KiB by default.
 */
export const headBytesMax = 256 * 1024;

/** The fault of an answer: one of the target, or a limit of the lab, which is named as such. */
export type AnswerFlaw =
  | `malformed answer: ${string}`
  | `the lab's limit: ${string}`
  | 'TLS in place of HTTP'
  | 'connection closed by the target';

/** Text between two fields of a head. */
export const lineEnd = '\r\n';

const statusLine = String.raw`HTTP\/1\.\d [1-9]\d\d(?: [^\r\n\0]*)?`;
const field = String.raw`[!#$%&'*+\-.^_\`|~0-9A-Za-z]+:[^\r\n\0]*`;

/** A status line and fields, RFC 9112 sections 4 and 5. */
const headGrammar = new RegExp(`^${statusLine}(?:\\r\\n${field})*$`);
const statusLineGrammar = new RegExp(`^${statusLine}(?:\\r\\n|$)`);

/** First byte of a record of TLS that is no application data: an alert, or a handshake. */
const tlsRecords: ReadonlySet<number | undefined> = new Set([0x15, 0x16]);

/** A head in the usual form, and where the bytes behind it begin. */
export interface Head {
  readonly text: string;
  readonly after: number;
}

/**
 * The head at `at` when it is written as usual, as nearly all are; `undefined` when it is not, or
 * not whole.
 */
export const usualHead = (data: Buffer, at: number, from: number): Head | undefined => {
  const end = data.indexOf('\r\n\r\n', from, 'latin1');
  if (end === -1 || end - at > headBytesMax) return undefined;
  const text = data.toString('latin1', at, end);
  return headGrammar.test(text) ? { text, after: end + 4 } : undefined;
};

/**
 * The first empty line from `from` on, whatever ends the lines: where the head ends, and where the
 * bytes behind it begin.
 */
const emptyLine = (data: Buffer, from: number): { readonly end: number; readonly after: number } | undefined => {
  const [mixed, bare] = [data.indexOf('\n\r\n', from, 'latin1'), data.indexOf('\n\n', from, 'latin1')];
  if (mixed === -1 && bare === -1) return undefined;
  return bare === -1 || (mixed !== -1 && mixed < bare)
    ? { end: mixed, after: mixed + 3 }
    : { end: bare, after: bare + 2 };
};

/** Notices as soon as the bytes so far can never become a head. */
const beginningFlaw = (data: Buffer, at: number): AnswerFlaw | undefined => {
  const wanted = 'HTTP/1.';
  const begun = data.toString('latin1', at, at + wanted.length);
  if (wanted.startsWith(begun)) return undefined;
  return tlsRecords.has(data[at]) ? 'TLS in place of HTTP' : 'malformed answer: status line';
};

/**
 * The head at `at`, however it is written.
 * @param from where the search for its end goes on
 * @returns `undefined` while it is not whole
 */
export const oddHead = (data: Buffer, at: number, from: number): Head | AnswerFlaw | undefined => {
  const flaw = beginningFlaw(data, at);
  if (flaw !== undefined) return flaw;
  const found = emptyLine(data, from);
  if ((found?.end ?? data.length) - at > headBytesMax) return "the lab's limit: a head of more than 256 KiB";
  if (found === undefined) return undefined;
  const lines = data.toString('latin1', at, found.end).replace(/\r$/, '').replace(/\r?\n/g, lineEnd);
  const fieldsAt = lines.indexOf(lineEnd);
  const usual = lines
    // Behind the status line a fold continues no field (section 2.2): it is left to the grammar,
    // which refuses it.
    .replace(/\r\n[\t ]+/g, (fold, foldAt: number) => (foldAt === fieldsAt ? fold : ' '))
    .replace(/(\r\n[^:\r\n\t ]+)[\t ]+:/g, '$1:');
  if (headGrammar.test(usual)) return { text: usual, after: found.after };
  return statusLineGrammar.test(usual) ? 'malformed answer: header field' : 'malformed answer: status line';
};
