/**
 * Reads answers of HTTP/1.1 (RFC 9112) from whatever pieces a connection delivers. Strict: what two readers could understand in two ways is
 * malformed, because a lab that guesses where an answer ends would give one user's answer to another request.
 *
 * It copies what it keeps, so the pieces may lie in one buffer that is used again for the next.
 * @module
 */

/** Bytes of the status line and all fields of an answer; Node's own limit for requests is 16 KiB. */
export const headBytesMax = 32 * 1024;
/** Bytes of a body: no answer may fill the memory of the generator. */
export const bodyBytesMax = 16 * 2 ** 20;
/** Answers 1xx before the one that counts. */
const interimMax = 8;
/** Bytes of one line between chunks, extensions included, and lines behind the last chunk. */
const chunkLineBytesMax = 1024;
const trailerLinesMax = 64;

/** Header in which a target that is asked to (`EXPOSE_WORKER=1`) names the worker that answered: machine, number, process. */
const workerHeader = 'catalytic-worker';

/** What is wrong with an answer. */
export type AnswerFlaw =
  | 'malformed answer'
  | 'answer too large'
  | 'bytes after the answer'
  | 'connection closed by the target';

/** A status line and fields, RFC 9112 sections 4 and 5: no space before a colon, no folded line, no bare CR or LF, no NUL. */
const headGrammar = /^HTTP\/1\.[01] [1-5]\d\d(?: [^\r\n\0]*)?(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\r\n\0]*)*$/;

/** A chunk's size, RFC 9112 section 7.1; its extensions are skipped. */
const chunkSizeGrammar = /^([0-9A-Fa-f]{1,7})[\t ]*(?:;[^\r\n\0]*)?$/;

const lineEnd = '\r\n';
const nothing = Buffer.alloc(0);

type State = 'head' | 'counted' | 'chunk size' | 'chunk' | 'chunk end' | 'trailer' | 'until closed' | 'whole';

/** Reads one answer after the other. */
export class AnswerReader {
  status = 0;
  /** Status line and fields as they came. */
  head = '';
  text = '';
  /** Bytes of the body. */
  bytes = 0;
  worker: string | undefined;
  /** Whether another answer may follow on this connection. */
  isReusable = true;
  /** How long the target says that it leaves an idle connection open, milliseconds. */
  idleMsMax = Number.POSITIVE_INFINITY;

  #state: State = 'head';
  #isBodyless = false;
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left = 0;
  #length: number | undefined;
  #isChunked = false;
  #interim = 0;
  #trailerLines = 0;
  /** An unfinished head or line. */
  #carry: Buffer | undefined;
  /** The body so far: its first `bytes` bytes. Doubled when full, so that a body in tiny pieces costs no more than a whole one. */
  #body = nothing;

  /** Gets ready for the answer to a request. @param isBodyless whether the request was HEAD, whose answer announces a body and has none */
  start(isBodyless = false): void {
    this.#state = 'head';
    this.#isBodyless = isBodyless;
    this.#interim = 0;
    this.#trailerLines = 0;
    this.#carry = undefined;
    this.#body = nothing;
    this.text = '';
    this.bytes = 0;
  }

  /**
   * Takes bytes.
   * @returns `whole` when the answer is complete, `undefined` while it is not, or what is wrong with it
   */
  read(piece: Buffer): 'whole' | AnswerFlaw | undefined {
    const data = this.#carry === undefined ? piece : Buffer.concat([this.#carry, piece]);
    this.#carry = undefined;
    let at = 0;
    while (at < data.length && this.#state !== 'whole') {
      const next = this.#step(data, at);
      if (typeof next === 'string') return next;
      if (next === undefined) return undefined;
      at = next;
    }
    if (this.#state !== 'whole') return undefined;
    return at === data.length ? 'whole' : 'bytes after the answer';
  }

  /** The target has closed: that ends an answer without a length, and cuts off any other. */
  end(): 'whole' | AnswerFlaw {
    if (this.#state !== 'until closed') return 'connection closed by the target';
    this.#finish();
    return 'whole';
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
        return this.#keep(data, at, data.length) ?? data.length;
      default:
        return this.#readLine(data, at);
    }
  }

  #readHead(data: Buffer, at: number): number | AnswerFlaw | undefined {
    const end = data.indexOf('\r\n\r\n', at, 'latin1');
    if ((end === -1 ? data.length : end) - at > headBytesMax) return 'answer too large';
    if (end === -1) {
      this.#carry = Buffer.from(data.subarray(at));
      return undefined;
    }
    const head = data.toString('latin1', at, end);
    if (!headGrammar.test(head)) return 'malformed answer';
    this.head = head;
    this.status = Number(head.slice(9, 12));
    const isSound = this.#readFields(head);
    if (!isSound) return 'malformed answer';
    const after = end + 4;
    if (this.status < 200) {
      // Nobody has asked for another protocol.
      return this.status === 101 || ++this.#interim > interimMax ? 'malformed answer' : after;
    }
    return this.#startBody() ?? after;
  }

  /** Reads the fields that decide something. Any other is left alone. */
  #readFields(head: string): boolean {
    this.worker = undefined;
    this.idleMsMax = Number.POSITIVE_INFINITY;
    this.isReusable = head.startsWith('HTTP/1.1');
    this.#length = undefined;
    this.#isChunked = false;
    for (let from = head.indexOf(lineEnd); from !== -1; ) {
      const start = from + lineEnd.length;
      from = head.indexOf(lineEnd, start);
      const colon = head.indexOf(':', start);
      const length = colon - start;
      // By the length of the name first: an answer has a dozen fields and this runs for every answer.
      if (length !== 10 && length !== 14 && length !== 16 && length !== 17) continue;
      const name = head.slice(start, colon).toLowerCase();
      const value = head.slice(colon + 1, from === -1 ? head.length : from).trim();
      if (!this.#readField(name, value)) return false;
    }
    // A length beside chunks is how answers are smuggled (RFC 9112 section 6.3); HTTP/1.0 knows no chunks.
    return !(this.#isChunked && (this.#length !== undefined || head.startsWith('HTTP/1.0')));
  }

  #readField(name: string, value: string): boolean {
    switch (name) {
      case 'content-length':
        if (this.#length !== undefined || !/^\d{1,15}$/.test(value)) return false;
        this.#length = Number(value);
        return true;
      case 'transfer-encoding':
        if (this.#isChunked || value.toLowerCase() !== 'chunked') return false;
        this.#isChunked = true;
        return true;
      case 'connection':
        if (/(?:^|,)\s*close\s*(?:,|$)/i.test(value)) this.isReusable = false;
        else if (/(?:^|,)\s*keep-alive\s*(?:,|$)/i.test(value)) this.isReusable = true;
        return true;
      case 'keep-alive': {
        const [, seconds] = /(?:^|,)\s*timeout=(\d{1,9})\s*(?:,|$)/i.exec(value) ?? [];
        if (seconds !== undefined) this.idleMsMax = Number(seconds) * 1000;
        return true;
      }
      case workerHeader:
        this.worker = value;
        return true;
      default:
        return true;
    }
  }

  /** Decides where the body ends, RFC 9112 section 6.3. */
  #startBody(): AnswerFlaw | undefined {
    if (this.#isBodyless || this.status === 204 || this.status === 304) return this.#finish();
    if (this.#isChunked) this.#state = 'chunk size';
    else if (this.#length === undefined) {
      this.isReusable = false;
      this.#state = 'until closed';
    } else {
      if (this.#length > bodyBytesMax) return 'answer too large';
      this.#left = this.#length;
      if (this.#left === 0) this.#finish();
      else this.#state = 'counted';
    }
    return undefined;
  }

  #readCounted(data: Buffer, at: number): number | AnswerFlaw {
    const end = Math.min(data.length, at + this.#left);
    this.#left -= end - at;
    const isLast = this.#left === 0 && this.#state === 'counted';
    if (isLast && this.bytes === 0) {
      // The usual case: the whole body in one piece is never copied.
      this.bytes = end - at;
      this.text = data.toString('utf8', at, end);
      this.#state = 'whole';
      return end;
    }
    const flaw = this.#keep(data, at, end);
    if (flaw !== undefined) return flaw;
    if (isLast) this.#finish();
    else if (this.#left === 0) this.#state = 'chunk end';
    return end;
  }

  /** Reads what stands between chunks and behind them, a line at a time. */
  #readLine(data: Buffer, at: number): number | AnswerFlaw | undefined {
    const end = data.indexOf(lineEnd, at, 'latin1');
    if ((end === -1 ? data.length : end) - at > chunkLineBytesMax) return 'malformed answer';
    if (end === -1) {
      this.#carry = Buffer.from(data.subarray(at));
      return undefined;
    }
    const isSound = this.#takeLine(data.toString('latin1', at, end));
    return isSound ? end + lineEnd.length : 'malformed answer';
  }

  #takeLine(line: string): boolean {
    if (this.#state === 'chunk end') {
      this.#state = 'chunk size';
      return line === '';
    }
    if (this.#state === 'trailer') {
      if (line === '') this.#finish();
      return ++this.#trailerLines <= trailerLinesMax;
    }
    const [, size] = chunkSizeGrammar.exec(line) ?? [];
    if (size === undefined) return false;
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? 'trailer' : 'chunk';
    return true;
  }

  #keep(data: Buffer, at: number, end: number): AnswerFlaw | undefined {
    const bytes = this.bytes + end - at;
    if (bytes > bodyBytesMax) return 'answer too large';
    if (bytes > this.#body.length) {
      const larger = Buffer.allocUnsafe(Math.max(bytes, 2 * this.#body.length));
      this.#body.copy(larger, 0, 0, this.bytes);
      this.#body = larger;
    }
    data.copy(this.#body, this.bytes, at, end);
    this.bytes = bytes;
    return undefined;
  }

  #finish(): undefined {
    this.#state = 'whole';
    this.text = this.#body.toString('utf8', 0, this.bytes);
    this.#body = nothing;
  }
}
