/**
 * One keep-alive connection: what a virtual user speaks through.
 * @module
 */
import { Client, type Dispatcher } from 'undici';

/** Times a connection may take, milliseconds. */
export interface ConnectionLimits {
  readonly connectMs: number;
  readonly answerMs: number;
}

/** A request to send. */
export interface Request {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** An answer, or the name of what went wrong instead of one. */
export type Reply =
  | {
      readonly status: number;
      readonly text: string;
      readonly bytes: number;
      /** Worker that answered, where the target names its workers. */
      readonly worker?: string;
    }
  | { readonly failure: string };

/** Header in which a target that is asked to (`EXPOSE_WORKER=1`) names the worker that answered: machine, number, process. */
const workerHeader = 'catalytic-worker';

const failureNames: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  UND_ERR_SOCKET: 'connection closed by the target',
  UND_ERR_CONNECT_TIMEOUT: 'connect timeout',
  UND_ERR_HEADERS_TIMEOUT: 'answer timeout',
  UND_ERR_BODY_TIMEOUT: 'answer timeout',
  EADDRNOTAVAIL: 'no free port on the generator',
  EMFILE: 'no free descriptor on the generator',
  UND_ERR_DESTROYED: 'cut at the end of the run',
};

const nameOf = (error: unknown): string => {
  const { code, name } = error as { code?: string; name?: string };
  return failureNames[code ?? ''] ?? code ?? name ?? 'unknown failure';
};

/** Gathers one answer. */
class AnswerReader implements Dispatcher.DispatchHandler {
  readonly #resolve: (reply: Reply) => void;
  #status = 0;
  #worker: string | undefined;
  #bytes = 0;
  readonly #chunks: Buffer[] = [];

  constructor(resolve: (reply: Reply) => void) {
    this.#resolve = resolve;
  }

  /** undici asks for it; there is nothing to do. */
  onRequestStart(): void {}

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.#status = status;
    const worker = headers[workerHeader];
    this.#worker = typeof worker === 'string' ? worker : undefined;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  onResponseEnd(): void {
    const [first] = this.#chunks;
    const text = this.#chunks.length > 1 ? Buffer.concat(this.#chunks).toString() : (first?.toString() ?? '');
    const worker = this.#worker === undefined ? {} : { worker: this.#worker };
    this.#resolve({ status: this.#status, text, bytes: this.#bytes, ...worker });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#resolve({ failure: nameOf(error) });
  }
}

/** Wraps an undici client with one connection and no pipelining. */
export class Connection {
  readonly #client: Client;
  /** Connections opened so far; more than one means that the target closed one. */
  connects = 0;

  constructor(origin: string, { connectMs, answerMs }: ConnectionLimits) {
    this.#client = new Client(origin, {
      pipelining: 1,
      connect: { timeout: connectMs },
      headersTimeout: answerMs,
      bodyTimeout: answerMs,
      // Longer than any wait between two requests: who closes an idle connection is the target's decision, and is counted.
      keepAliveTimeout: 600_000,
      keepAliveMaxTimeout: 600_000,
      // undici closes this much before the target's own hint would; 2 s by default, which would cut users that wait 3 s.
      keepAliveTimeoutThreshold: 500,
    });
    this.#client.on('connect', () => {
      this.connects += 1;
    });
  }

  /**
   * Sends a request and reads the whole answer. Never throws: what went wrong is part of the measurement.
   *
   * `dispatch` because the generator shares the machine with the target: 70 µs of CPU per request, 85 µs with `request` (500 connections,
   * 500 requests a second, 24 November 2026, 2 cores).
   */
  send({ method, path, headers, body }: Request): Promise<Reply> {
    return new Promise((resolve) => {
      this.#client.dispatch({ method, path, headers: headers ?? null, body: body ?? null }, new AnswerReader(resolve));
    });
  }

  /** Closes at once; what is in flight is cut. */
  destroy(): Promise<void> {
    return this.#client.destroy().catch(() => {});
  }
}
