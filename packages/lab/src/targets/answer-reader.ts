/**
 * Reads answers of HTTP/1.1 (RFC 9112) from whatever pieces a connection delivers. It accepts what
 * other clients accept (docs/decisions/0017-own-http-client.md), but an answer without a clear end
 * is malformed: a guess could give one user's answer to another request.
 *
 * It copies the bytes that it keeps, so one buffer may be reused for all pieces.
 * @module
 */
import { type AnswerFlaw, lineEnd, oddHead, usualHead } from './answer-head.ts';

export type { AnswerFlaw } from './answer-head.ts';

/**
 * Bytes of a body that are kept: no answer may fill the memory of the generator. A longer one is
 * read to its end, and counted whole.
 */
export const bodyBytesMax = 16 * 2 ** 20;
/**
 * Answers 1xx before the one that counts: a target that never comes to an end must not look busy
 * for ever.
 */
const interimMax = 100;
/**
 * Bytes of one line between chunks, extensions included, and lines behind the last chunk. Go's
 * client allows 4 KiB, too.
 */
const chunkLineBytesMax = 4096;
const trailerLinesMax = 100;

/**
 * Header in which a target that is asked to (`EXPOSE_WORKER=1`) names the worker that answered:
 * machine, number, process.
 */
const workerHeader = 'catalytic-worker';

/**
 * A chunk's size, RFC 9112 section 7.1; its extensions are skipped. Some targets write leading
 * zeros.
 */
const chunkSizeGrammar = /^0*([0-9A-Fa-f]{1,13})[\t ]*(?:;[^\r\n\0]*)?$/;

const nothing = Buffer.alloc(0);
/** Room for the beginning of a head or line that came in pieces; doubled when full. */
const carryBytesFirst = 1024;
/** Of ten thousand connections that each had one large head, none keeps the room for it. */
const carryBytesKept = 16 * 1024;

type State = 'head' | 'counted' | 'chunk size' | 'chunk' | 'chunk end' | 'trailer' | 'until closed' | 'whole';

/**
 * The length that a field names, RFC 9112 section 6.3: one number, or the same several times.
 * `undefined`: none that could be believed.
 */
const lengthOf = (value: string): number | undefined => {
  if (/^\d{1,15}$/.test(value)) return Number(value);
  const [first = '', ...further] = value.split(',');
  const isOne = /^[\t ]*\d{1,15}[\t ]*$/.test(first) && further.every((each) => each.trim() === first.trim());
  return isOne ? Number(first) : undefined;
};

/** Reads one answer after the other. */
export class AnswerReader {
  status = 0;
  /** Status line and fields, one field a line. */
  head = '';
  /** The body as text; empty while it is encoded. */
  text = '';
  /** Bytes of the body. */
  bytes = 0;
  /** Whether the body was longer than is kept. */
  isTruncated = false;
  /** Codings of the body (RFC 9110 section 8.4) and its bytes, where the target has encoded it. */
  encoded: { readonly coding: string; readonly body: Buffer } | undefined;
  worker: string | undefined;
  /** Whether another answer may follow on this connection. */
  isReusable = true;
  /** Whether bytes came behind the answer, in the same piece. */
  hasSurplus = false;
  /** How long the target says that it leaves an idle connection open, milliseconds. */
  idleMsMax = Number.POSITIVE_INFINITY;

  #state: State = 'head';
  #isBodyless = false;
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left = 0;
  #length: number | undefined;
  #isChunked = false;
  #coding: string | undefined;
  #interim = 0;
  #trailerLines = 0;
  /**
   * An unfinished head or line: the buffer, its used bytes, and how many of them hold no end of a
   * head.
   */
  #carry = nothing;
  #carried = 0;
  #searched = 0;
  /**
   * The body so far. Doubled when full, so that a body in tiny pieces costs no more than a whole
   * one.
   */
  #body = nothing;
  #kept = 0;

  /**
   * Gets ready for the answer to a request.
   * @param isBodyless whether the request was HEAD, whose answer announces a body and has none
   */
  start(isBodyless = false): void {
    this.#state = 'head';
    this.#isBodyless = isBodyless;
    this.#interim = 0;
    this.#trailerLines = 0;
    this.#carried = 0;
    this.#searched = 0;
    if (this.#carry.length > carryBytesKept) this.#carry = nothing;
    this.#body = nothing;
    this.#kept = 0;
    this.text = '';
    this.bytes = 0;
    this.isTruncated = false;
    this.encoded = undefined;
    this.hasSurplus = false;
  }

  /**
   * Takes bytes.
   * @returns `whole` when the answer is complete, `undefined` while it is not, or its fault
   */
  read(piece: Buffer): 'whole' | AnswerFlaw | undefined {
    const data = this.#carried === 0 ? piece : this.#joined(piece);
    let at = 0;
    while (at < data.length && this.#state !== 'whole') {
      const next = this.#step(data, at);
      if (typeof next === 'string') return next;
      if (next === undefined) return undefined;
      at = next;
    }
    if (this.#state !== 'whole') return undefined;
    // Surplus bytes belong to no request: the answer counts, and nothing else is read from this
    // connection.
    if (at < data.length) {
      this.hasSurplus = true;
      this.isReusable = false;
    }
    return 'whole';
  }

  /** The target has closed: that ends an answer without a length, and cuts off any other. */
  end(): 'whole' | AnswerFlaw {
    if (this.#state !== 'until closed') return 'connection closed by the target';
    this.#finish();
    return 'whole';
  }

  /** Joins the carried bytes and a piece. */
  #joined(piece: Buffer): Buffer {
    this.#hold(piece, 0);
    const data = this.#carry.subarray(0, this.#carried);
    this.#carried = 0;
    return data;
  }

  /** Keeps the bytes from `at` on until more have come. */
  #hold(data: Buffer, at: number): undefined {
    const bytes = this.#carried + data.length - at;
    const isCarry = data.buffer === this.#carry.buffer;
    if (!isCarry && bytes > this.#carry.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(carryBytesFirst, 2 * bytes));
      this.#carry.copy(larger, 0, 0, this.#carried);
      this.#carry = larger;
    }
    if (!isCarry || at > 0) data.copy(this.#carry, this.#carried, at);
    this.#carried = bytes;
  }

  /** Goes on from `at`; `undefined` when the rest has to wait for more bytes. */
  #step(data: Buffer, at: number): number | AnswerFlaw | undefined {
    switch (this.#state) {
      case 'head':
        return this.#readHead(data, at);
      case 'counted':
      case 'chunk':
        return this.#readCounted(data, at);
      case 'until closed':
        this.#keep(data, at, data.length);
        return data.length;
      default:
        return this.#readLine(data, at);
    }
  }

  #readHead(data: Buffer, at: number): number | AnswerFlaw | undefined {
    const from = at + this.#searched;
    const head = usualHead(data, at, from) ?? oddHead(data, at, from);
    if (head === undefined) {
      // The last three bytes may belong to the empty line that ends it.
      this.#searched = Math.max(0, data.length - at - 3);
      return this.#hold(data, at);
    }
    if (typeof head === 'string') return head;
    this.#searched = 0;
    this.head = head.text;
    this.status = Number(head.text.slice(9, 12));
    const flaw = this.#readFields(head.text);
    if (flaw !== undefined) return flaw;
    if (this.status < 200 && this.status !== 101)
      return ++this.#interim > interimMax ? "the lab's limit: more than 100 interim answers" : head.after;
    this.#startBody();
    return head.after;
  }

  /** Reads the fields that decide something. Any other is left alone. */
  #readFields(head: string): AnswerFlaw | undefined {
    this.worker = undefined;
    this.idleMsMax = Number.POSITIVE_INFINITY;
    this.isReusable = !head.startsWith('HTTP/1.0');
    this.#length = undefined;
    this.#isChunked = false;
    this.#coding = undefined;
    for (let from = head.indexOf(lineEnd); from !== -1; ) {
      const start = from + lineEnd.length;
      from = head.indexOf(lineEnd, start);
      const colon = head.indexOf(':', start);
      const length = colon - start;
      // By the length of the name first: an answer has a dozen fields and this runs for every
      // answer.
      if (length !== 10 && length !== 14 && length !== 16 && length !== 17) continue;
      const name = head.slice(start, colon).toLowerCase();
      const value = head.slice(colon + 1, from === -1 ? head.length : from).trim();
      const flaw = this.#readField(name, value);
      if (flaw !== undefined) return flaw;
    }
    // Chunks beside a length, or from HTTP/1.0, are how answers are smuggled: the chunks count, and
    // the connection ends (RFC 9112 section 6).
    if (this.#isChunked && (this.#length !== undefined || head.startsWith('HTTP/1.0'))) this.isReusable = false;
    return undefined;
  }

  #readField(name: string, value: string): AnswerFlaw | undefined {
    switch (name) {
      case 'content-length': {
        const length = lengthOf(value);
        if (length === undefined || (this.#length ?? length) !== length) return 'malformed answer: content-length';
        this.#length = length;
        return undefined;
      }
      case 'transfer-encoding':
        if (value.toLowerCase() === 'identity') return undefined;
        if (this.#isChunked || value.toLowerCase() !== 'chunked') return 'malformed answer: transfer-encoding';
        this.#isChunked = true;
        return undefined;
      case 'connection':
        if (/(?:^|,)\s*close\s*(?:,|$)/i.test(value)) this.isReusable = false;
        else if (/(?:^|,)\s*keep-alive\s*(?:,|$)/i.test(value)) this.isReusable = true;
        return undefined;
      case 'keep-alive': {
        const [, seconds] = /(?:^|,)\s*timeout=(\d{1,9})\s*(?:,|$)/i.exec(value) ?? [];
        if (seconds !== undefined) this.idleMsMax = Number(seconds) * 1000;
        return undefined;
      }
      case 'content-encoding':
        this.#coding = this.#coding === undefined ? value : `${this.#coding}, ${value}`;
        return undefined;
      case workerHeader:
        this.worker = value;
        return undefined;
      default:
        return undefined;
    }
  }

  /** Decides where the body ends, RFC 9112 section 6.3. */
  #startBody(): void {
    // No request asks for 101: the bytes after it are of another protocol, so there is no body and
    // no further answer (RFC 9110 section 15.2.2).
    if (this.status === 101) this.isReusable = false;
    if (this.#isBodyless || this.status === 204 || this.status === 304 || this.status === 101) this.#finish();
    else if (this.#isChunked) this.#state = 'chunk size';
    else if (this.#length === undefined) {
      this.isReusable = false;
      this.#state = 'until closed';
    } else {
      this.#left = this.#length;
      if (this.#left === 0) this.#finish();
      else this.#state = 'counted';
    }
  }

  #readCounted(data: Buffer, at: number): number {
    const end = Math.min(data.length, at + this.#left);
    this.#left -= end - at;
    const isLast = this.#left === 0 && this.#state === 'counted';
    if (isLast && this.bytes === 0 && this.#coding === undefined) {
      // The usual case: the whole body in one piece is never copied.
      this.bytes = end - at;
      this.text = data.toString('utf8', at, end);
      this.#state = 'whole';
      return end;
    }
    this.#keep(data, at, end);
    if (isLast) this.#finish();
    else if (this.#left === 0) this.#state = 'chunk end';
    return end;
  }

  /** Reads the lines between chunks and behind them. */
  #readLine(data: Buffer, at: number): number | AnswerFlaw | undefined {
    const end = data.indexOf('\n', at, 'latin1');
    if ((end === -1 ? data.length : end) - at > chunkLineBytesMax)
      return "the lab's limit: a line between chunks of more than 4 KiB";
    if (end === -1) return this.#hold(data, at);
    const isWhole = end > at && data[end - 1] === 0x0d;
    // Only fields may end in a bare line feed (RFC 9112 section 2.2): behind a size it is a way of
    // smuggling.
    if (!isWhole && this.#state !== 'trailer') return 'malformed answer: chunk';
    return this.#takeLine(data.toString('latin1', at, isWhole ? end - 1 : end)) ?? end + 1;
  }

  #takeLine(line: string): AnswerFlaw | undefined {
    if (this.#state === 'chunk end') {
      this.#state = 'chunk size';
      return line === '' ? undefined : 'malformed answer: chunk';
    }
    if (this.#state === 'trailer') {
      if (line === '') this.#finish();
      return ++this.#trailerLines > trailerLinesMax
        ? "the lab's limit: more than 100 lines behind the last chunk"
        : undefined;
    }
    const [, size] = chunkSizeGrammar.exec(line) ?? [];
    if (size === undefined) return 'malformed answer: chunk';
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? 'trailer' : 'chunk';
    return undefined;
  }

  #keep(data: Buffer, at: number, end: number): void {
    this.bytes += end - at;
    const kept = Math.min(bodyBytesMax, this.#kept + end - at);
    if (kept < this.#kept + end - at) this.isTruncated = true;
    if (kept > this.#body.length) {
      const larger = Buffer.allocUnsafe(Math.min(bodyBytesMax, Math.max(kept, 2 * this.#body.length)));
      this.#body.copy(larger, 0, 0, this.#kept);
      this.#body = larger;
    }
    data.copy(this.#body, this.#kept, at, at + kept - this.#kept);
    this.#kept = kept;
  }

  #finish(): undefined {
    this.#state = 'whole';
    const body = this.#body.subarray(0, this.#kept);
    if (this.#coding === undefined || body.length === 0) this.text = body.toString('utf8');
    else this.encoded = { coding: this.#coding, body };
    this.#body = nothing;
  }
}
