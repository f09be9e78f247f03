/**
 * One keep-alive connection of a virtual user. HTTP/1.1 over `node:net`, because the generator
 * shares the machine with the target and a general client costs twice as much for each request
 * (docs/decisions/0017-own-http-client.md).
 * @module
 */
import type { Socket } from 'node:net';
import { AnswerReader } from './answer-reader.ts';
import { decodeContent } from './content-coding.ts';
import { type Perishable, releaseDeadline, watchDeadline } from './deadlines.ts';
import { closedByTarget, connectionReset, nameOf } from './failures.ts';
import { openEventOf, openSocket } from './open-socket.ts';
import { basePathOf } from './origin.ts';
import { isRepeatable, type Request, requestMessage } from './request.ts';
import type { TransportMeasure } from './transport.ts';
import type { Trust } from './trust.ts';

export type { Request } from './request.ts';

/** Limits of a connection. Times in milliseconds. */
export interface ConnectionLimits {
  /** Until it is open, TLS included. */
  readonly connectMs: number;
  /** From the sending of a request to the last byte of its answer. */
  readonly answerMs: number;
  /** Which certificates it may show; those that the system trusts by default. */
  readonly trust?: Trust;
  /**
   * Whether it may close an idle connection as a request comes: then the request is sent once more,
   * where that is safe.
   */
  readonly mayCloseIdle?: boolean;
}

/** Where a connection belongs. */
export interface ConnectionPlace {
  /** Own address of the connection, where the machine has several. */
  readonly localAddress?: string | undefined;
  /** Measure of the connection; shared with others. */
  readonly transport?: TransportMeasure;
}

/**
 * When a request was written, or when its connection began to open if it never was, and when it
 * ended, on the monotonic clock in milliseconds.
 */
interface Span {
  readonly sentAtMs: number;
  readonly endedAtMs: number;
}

/** An answer, or the name of the failure. */
export type Reply = Span &
  (
    | {
        readonly status: number;
        readonly text: string;
        readonly bytes: number;
        /** Whether the body was longer than `text`. */
        readonly isTruncated: boolean;
        /** Worker that answered, where the target names its workers. */
        readonly worker?: string;
        /** Status line and fields, one field a line. */
        readonly head: string;
        /** When the first byte came back. */
        readonly firstByteAtMs: number;
      }
    | { readonly failure: string }
  );

const cutAtEnd = 'cut at the end of the run';

/**
 * A connection is given up this much before the target would close it as idle, milliseconds: a
 * request must not meet its closing.
 */
const idleMarginMs = 500;

/**
 * A closing that was under way when a request was written shows within this time, milliseconds, or
 * within two round trips; later ones answer the request.
 */
const closingMsMax = 500;
/**
 * A target that closes behind each answer without saying so meets users that never wait: this much
 * may the event loops of both be late.
 */
const closingMsMin = 5;

interface Waiting {
  readonly message: string | Buffer;
  readonly method: string;
  readonly askedAtMs: number;
  readonly resolve: (reply: Reply) => void;
}

/** Sends one request at a time, in the order in which they are given. */
export class Connection implements Perishable {
  /** Connections opened so far; more than one means that the target closed one. */
  connects = 0;
  deadlineMs = Number.POSITIVE_INFINITY;

  readonly #url: URL;
  /** As the field `host` names it. */
  readonly #authority: string;
  readonly #basePath: string;
  readonly #limits: ConnectionLimits;
  readonly #place: ConnectionPlace;
  readonly #reader = new AnswerReader();
  #socket: Socket | undefined;
  #isConnected = false;
  #isDestroyed = false;
  #current: Waiting | undefined;
  /**
   * The next one, for a turn of the event loop: a closing that has arrived in this process
   * meanwhile is seen first.
   */
  #held: Waiting | undefined;
  readonly #queue: Waiting[] = [];
  #sentAtMs = 0;
  #firstByteAtMs = 0;
  /** When the last answer of this socket was whole; 0 before. */
  #idleFromMs = 0;
  /** Time that TCP took to connect: a round trip, and more. */
  #connectMs = 0;

  /** @param target its address; requests go below the path of it */
  constructor(target: string, limits: ConnectionLimits, place: ConnectionPlace = {}) {
    this.#url = new URL(target);
    this.#authority = this.#url.host;
    this.#basePath = basePathOf(target);
    this.#limits = limits;
    this.#place = place;
    watchDeadline(this);
  }

  /** Times it was opened again. */
  get reconnects(): number {
    return Math.max(0, this.connects - 1);
  }

  /** Requests that have been given and not answered. */
  get waiting(): number {
    return this.#queue.length + (this.#current === undefined && this.#held === undefined ? 0 : 1);
  }

  /**
   * Sends a request and reads the whole answer. Failures are part of the measurement and not
   * thrown.
   * @throws RangeError when the request itself could not be written as one
   */
  send(request: Request): Promise<Reply> {
    const message = requestMessage(this.#authority, this.#basePath, request);
    return new Promise((resolve) => {
      const waiting = { message, method: request.method, askedAtMs: performance.now(), resolve };
      // In a later turn of the event loop: a task that asks until it is answered must not keep all
      // else from its turn.
      if (this.#isDestroyed) setImmediate(() => this.#cut(waiting));
      else if (this.#current === undefined && this.#held === undefined) this.#start(waiting, waiting.askedAtMs);
      else this.#queue.push(waiting);
    });
  }

  /** Closes at once; requests in flight are cut. */
  async destroy(): Promise<void> {
    this.#isDestroyed = true;
    releaseDeadline(this);
    this.#drop();
    const current = this.#current;
    this.#current = undefined;
    if (current !== undefined) this.#cut(current, this.#sentAtMs);
    for (const waiting of [this.#held, ...this.#queue]) if (waiting !== undefined) this.#cut(waiting);
    this.#held = undefined;
    this.#queue.length = 0;
  }

  /** The target has taken too long. */
  expire(): void {
    if (this.#isConnected) this.#fail('answer timeout');
    else this.#fail(this.#connectMs > 0 ? 'TLS handshake timeout' : 'connect timeout');
  }

  #cut({ resolve, askedAtMs }: Waiting, sentAtMs = askedAtMs): void {
    resolve({ failure: cutAtEnd, sentAtMs, endedAtMs: performance.now() });
  }

  #start(waiting: Waiting, nowMs: number): void {
    if (this.#socket === undefined || isRepeatable(waiting.method)) this.#begin(waiting, nowMs);
    else {
      this.#held = waiting;
      setImmediate(this.#release);
    }
  }

  readonly #release = (): void => {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#begin(held, performance.now());
  };

  #begin(waiting: Waiting, nowMs: number): void {
    this.#current = waiting;
    this.#firstByteAtMs = 0;
    this.#reader.start(waiting.method === 'HEAD');
    if (this.#socket !== undefined && nowMs - this.#idleFromMs >= this.#reader.idleMsMax - idleMarginMs) this.#drop();
    if (this.#socket === undefined) this.#open(nowMs);
    else this.#write(this.#socket, waiting, nowMs);
  }

  #write(socket: Socket, { message }: Waiting, nowMs: number): void {
    this.#sentAtMs = nowMs;
    this.deadlineMs = nowMs + this.#limits.answerMs;
    socket.write(message);
  }

  #open(openedAtMs: number): void {
    // Until the request is written: one that never is counts from here.
    this.#sentAtMs = openedAtMs;
    this.#idleFromMs = 0;
    this.#connectMs = 0;
    this.deadlineMs = openedAtMs + this.#limits.connectMs;
    const { trust } = this.#limits;
    const { localAddress } = this.#place;
    const socket = openSocket(this.#url, { trust, localAddress, take: this.#take });
    this.#socket = socket;
    this.#isConnected = false;
    socket.once('connect', () => {
      if (socket === this.#socket) this.#connectMs = performance.now() - openedAtMs;
    });
    socket.once(openEventOf(this.#url), () => this.#connected(socket, performance.now() - openedAtMs));
    socket.on('error', (error) => this.#ended(socket, nameOf(error)));
    const closed = (): void => this.#ended(socket);
    socket.on('end', closed);
    socket.on('close', closed);
  }

  #connected(socket: Socket, openMs: number): void {
    if (socket !== this.#socket) return;
    const { transport } = this.#place;
    this.connects += 1;
    this.#isConnected = true;
    transport?.connect.record(this.#connectMs);
    if (this.#url.protocol === 'https:') transport?.handshake.record(openMs - this.#connectMs);
    if (this.#current !== undefined) this.#write(socket, this.#current, performance.now());
  }

  readonly #take = (socket: Socket, piece: Buffer): void => {
    if (socket !== this.#socket) return;
    // No request is under way: these bytes must not become the answer to the next one.
    if (this.#current === undefined) {
      this.#drop();
      return;
    }
    if (this.#firstByteAtMs === 0) this.#firstByteAtMs = performance.now();
    const verdict = this.#reader.read(piece);
    if (verdict === 'whole') this.#answer();
    else if (verdict !== undefined) this.#fail(verdict);
  };

  /** The socket has come to its end. @param failure why, when it was not closed in order */
  #ended(socket: Socket, failure?: string): void {
    if (socket !== this.#socket) return;
    if (this.#current === undefined) {
      this.#drop();
      return;
    }
    const verdict = failure ?? this.#reader.end();
    if (verdict === 'whole') this.#answer();
    else if (this.#firstByteAtMs === 0 && (verdict === closedByTarget || verdict === connectionReset))
      this.#closed(this.#current, verdict);
    else this.#fail(verdict);
  }

  /** The target has closed before one byte of the answer came. */
  #closed(current: Waiting, failure: string): void {
    const nowMs = performance.now();
    if (!this.#metClosing(nowMs)) this.#fail(failure);
    else if (isRepeatable(current.method)) this.#repeat(current, nowMs);
    else this.#fail(`${failure} as the request came; ${current.method} is not repeated`);
  }

  /**
   * Whether what ended by `untilMs` may have met a closing of its idle connection that was under
   * way already (RFC 9112 section 9.5): it broke sooner than the connection had been idle, or as
   * fast as a closing that was under way is heard of. A fresh connection was never idle, so nothing
   * is sent a third time, and a target that closes on requests as such fails.
   */
  #metClosing(untilMs: number): boolean {
    if (this.#idleFromMs === 0 || this.#limits.mayCloseIdle !== true) return false;
    const idleMs = this.#sentAtMs - this.#idleFromMs;
    return untilMs - this.#sentAtMs < Math.max(closingMsMin, 2 * this.#connectMs, Math.min(idleMs, closingMsMax));
  }

  #repeat(current: Waiting, nowMs: number): void {
    if (this.#place.transport !== undefined) this.#place.transport.repeated += 1;
    this.#drop();
    this.#begin(current, nowMs);
  }

  #answer(): void {
    const { status, isReusable } = this.#reader;
    const endedAtMs = performance.now();
    // The target gave up waiting on an idle connection and says so: by definition it has not read
    // the request (RFC 9110 section 15.5.9).
    if (status === 408 && !isReusable && this.#current !== undefined && this.#metClosing(this.#firstByteAtMs))
      this.#repeat(this.#current, endedAtMs);
    else this.#hand(endedAtMs);
  }

  /** Hands the answer over. */
  #hand(endedAtMs: number): void {
    const { status, bytes, worker, head, encoded, isReusable } = this.#reader;
    const decoded = encoded === undefined ? this.#reader : decodeContent(encoded.coding, encoded.body);
    if (decoded === undefined) {
      this.#fail('malformed answer: content-encoding', endedAtMs);
      return;
    }
    const isTruncated = this.#reader.isTruncated || decoded.isTruncated;
    const { transport } = this.#place;
    if (transport !== undefined && isTruncated) transport.truncated += 1;
    if (transport !== undefined && this.#reader.hasSurplus) transport.surplus += 1;
    this.#idleFromMs = endedAtMs;
    // A target that answers before it has read the whole request may never read the rest.
    if (!isReusable || this.#socket?.writableNeedDrain === true) this.#drop();
    this.#settle({
      status,
      text: decoded.text,
      bytes,
      isTruncated,
      ...(worker === undefined ? {} : { worker }),
      head,
      sentAtMs: this.#sentAtMs,
      firstByteAtMs: this.#firstByteAtMs,
      endedAtMs,
    });
  }

  #fail(failure: string, endedAtMs = performance.now()): void {
    this.#drop();
    this.#settle({ failure, sentAtMs: this.#sentAtMs, endedAtMs });
  }

  #settle(reply: Reply): void {
    this.deadlineMs = Number.POSITIVE_INFINITY;
    const current = this.#current;
    this.#current = undefined;
    current?.resolve(reply);
    const next = this.#queue.shift();
    if (next !== undefined) this.#start(next, performance.now());
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#isConnected = false;
    socket?.destroy();
  }
}
