/**
 * One keep-alive connection: what a virtual user speaks through. HTTP/1.1 over `node:net`, because the generator shares the machine with the
 * target and a general client costs twice as much for each request (docs/decisions/0017-own-http-client.md).
 * @module
 */
import { isIPv4, isIPv6, connect as openTcp, type Socket } from 'node:net';
import { connect as openTls } from 'node:tls';
import { AnswerReader } from './answer-reader.ts';
import { type Perishable, releaseDeadline, watchDeadline } from './deadlines.ts';
import { portOf } from './origin.ts';
import { type Request, requestText } from './request.ts';

export type { Request } from './request.ts';

/** Times a connection may take, milliseconds. */
export interface ConnectionLimits {
  readonly connectMs: number;
  /** From the sending of a request to the last byte of its answer. */
  readonly answerMs: number;
}

/** An answer, or the name of what went wrong instead of one. */
export type Reply =
  | {
      readonly status: number;
      readonly text: string;
      readonly bytes: number;
      /** Worker that answered, where the target names its workers. */
      readonly worker?: string;
      /** Status line and fields as they came. */
      readonly head: string;
      /** When the request was written, its first byte came back and its last one, on the monotonic clock in milliseconds. */
      readonly writtenAtMs: number;
      readonly firstByteAtMs: number;
      readonly lastByteAtMs: number;
    }
  | { readonly failure: string };

const failureNames: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  ETIMEDOUT: 'connect timeout',
  EADDRNOTAVAIL: 'no free port on the generator',
  EADDRINUSE: 'no free port on the generator',
  EMFILE: 'no free descriptor on the generator',
};

const nameOf = ({ code, name }: NodeJS.ErrnoException): string =>
  failureNames[code ?? ''] ?? code ?? name ?? 'unknown failure';

const cutAtEnd = { failure: 'cut at the end of the run' } as const;

/** A connection is given up this much before the target would close it as idle, milliseconds: a request must not meet its closing. */
const idleMarginMs = 500;

/** All plain connections read into this one: a socket's data is dealt with before the next socket is read. */
const sharedBuffer = Buffer.allocUnsafeSlow(64 * 1024);

interface Waiting {
  readonly text: string;
  readonly isBodyless: boolean;
  readonly resolve: (reply: Reply) => void;
}

/** Sends one request at a time, in the order in which they are given. */
export class Connection implements Perishable {
  /** Connections opened so far; more than one means that the target closed one. */
  connects = 0;
  deadlineMs = Number.POSITIVE_INFINITY;

  readonly #url: URL;
  readonly #host: string;
  /** As the field `host` names it. */
  readonly #authority: string;
  readonly #limits: ConnectionLimits;
  readonly #localAddress: string | undefined;
  readonly #reader = new AnswerReader();
  #socket: Socket | undefined;
  #isConnected = false;
  #isDestroyed = false;
  #current: Waiting | undefined;
  readonly #queue: Waiting[] = [];
  #writtenAtMs = 0;
  #firstByteAtMs = 0;
  /** When the last answer was whole. */
  #idleFromMs = 0;

  /** @param localAddress own address of the connection, where the machine has several */
  constructor(origin: string, limits: ConnectionLimits, localAddress?: string) {
    this.#url = new URL(origin);
    this.#authority = this.#url.host;
    this.#host = this.#url.hostname.replace(/^\[|\]$/g, '');
    this.#limits = limits;
    this.#localAddress = localAddress;
    watchDeadline(this);
  }

  /** Times it was opened again. */
  get reconnects(): number {
    return Math.max(0, this.connects - 1);
  }

  /**
   * Sends a request and reads the whole answer. What goes wrong on the way is part of the measurement and no error.
   * @throws RangeError when the request itself could not be written as one
   */
  send(request: Request): Promise<Reply> {
    const text = requestText(this.#authority, request);
    return new Promise((resolve) => {
      if (this.#isDestroyed) return resolve(cutAtEnd);
      const waiting = { text, isBodyless: request.method === 'HEAD', resolve };
      if (this.#current === undefined) this.#start(waiting);
      else this.#queue.push(waiting);
    });
  }

  /** Closes at once; what is in flight is cut. */
  async destroy(): Promise<void> {
    this.#isDestroyed = true;
    releaseDeadline(this);
    this.#drop();
    const cut = this.#current === undefined ? this.#queue : [this.#current, ...this.#queue];
    this.#current = undefined;
    for (const { resolve } of cut) resolve(cutAtEnd);
    this.#queue.length = 0;
  }

  /** The target has taken too long. */
  expire(): void {
    this.#fail(this.#isConnected ? 'answer timeout' : 'connect timeout');
  }

  #start(waiting: Waiting): void {
    this.#current = waiting;
    this.#firstByteAtMs = 0;
    this.#reader.start(waiting.isBodyless);
    const nowMs = performance.now();
    if (this.#socket !== undefined && nowMs - this.#idleFromMs >= this.#reader.idleMsMax - idleMarginMs) this.#drop();
    if (this.#socket === undefined) this.#open(nowMs);
    else this.#write(this.#socket, waiting, nowMs);
  }

  #write(socket: Socket, { text }: Waiting, nowMs: number): void {
    this.#writtenAtMs = nowMs;
    this.deadlineMs = nowMs + this.#limits.answerMs;
    socket.write(text);
  }

  #open(nowMs: number): void {
    this.deadlineMs = nowMs + this.#limits.connectMs;
    const isTls = this.#url.protocol === 'https:';
    const place = {
      host: this.#host,
      port: portOf(this.#url.origin),
      noDelay: true,
      ...(this.#localAddress === undefined ? {} : { localAddress: this.#localAddress, family: 4 }),
    };
    const isAddress = isIPv4(this.#host) || isIPv6(this.#host);
    const socket: Socket = isTls
      ? openTls({ ...place, ...(isAddress ? {} : { servername: this.#host }) })
      : openTcp({
          ...place,
          onread: {
            buffer: sharedBuffer,
            callback: (bytes, buffer) => {
              this.#take(socket, (buffer as Buffer).subarray(0, bytes));
              return true;
            },
          },
        });
    this.#socket = socket;
    this.#isConnected = false;
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      if (socket !== this.#socket) return;
      this.connects += 1;
      this.#isConnected = true;
      if (this.#current !== undefined) this.#write(socket, this.#current, performance.now());
    });
    if (isTls) socket.on('data', (piece: Buffer) => this.#take(socket, piece));
    socket.on('error', (error) => this.#ended(socket, nameOf(error)));
    const closed = (): void => this.#ended(socket);
    socket.on('end', closed);
    socket.on('close', closed);
  }

  #take(socket: Socket, piece: Buffer): void {
    if (socket !== this.#socket) return;
    // Nobody has asked: whatever this is, it must not become the answer to the next request.
    if (this.#current === undefined) {
      this.#drop();
      return;
    }
    if (this.#firstByteAtMs === 0) this.#firstByteAtMs = performance.now();
    const verdict = this.#reader.read(piece);
    if (verdict === 'whole') this.#answer();
    else if (verdict !== undefined) this.#fail(verdict);
  }

  /** The socket has come to its end. @param failure why, when it was not closed in order */
  #ended(socket: Socket, failure?: string): void {
    if (socket !== this.#socket) return;
    if (this.#current === undefined) {
      this.#drop();
      return;
    }
    const verdict = failure ?? this.#reader.end();
    if (verdict === 'whole') this.#answer();
    else this.#fail(verdict);
  }

  #answer(): void {
    const { status, text, bytes, worker, head, isReusable } = this.#reader;
    const lastByteAtMs = performance.now();
    this.#idleFromMs = lastByteAtMs;
    if (!isReusable) this.#drop();
    this.#settle({
      status,
      text,
      bytes,
      ...(worker === undefined ? {} : { worker }),
      head,
      writtenAtMs: this.#writtenAtMs,
      firstByteAtMs: this.#firstByteAtMs,
      lastByteAtMs,
    });
  }

  #fail(failure: string): void {
    this.#drop();
    this.#settle({ failure });
  }

  #settle(reply: Reply): void {
    this.deadlineMs = Number.POSITIVE_INFINITY;
    const current = this.#current;
    this.#current = undefined;
    current?.resolve(reply);
    const next = this.#queue.shift();
    if (next !== undefined) this.#start(next);
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#isConnected = false;
    socket?.destroy();
  }
}
