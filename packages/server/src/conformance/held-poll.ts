/**
 * A poll that waits for its answer.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Page, Poll } from '@catalytic/protocol/guards';

/** A page with any member changed, also to what no service sends. */
export type LoosePage = Omit<Page, 'entries' | 'guard' | 'tenant'> & {
  readonly guard: string | null;
  readonly tenant: string | null;
  readonly entries: readonly object[];
};

/** A poll. */
export class HeldPoll {
  /** What it says; a guard that is not yet one may send anything. */
  readonly body: Partial<Poll>;
  /** Monotonic clock at its arrival, milliseconds: it was sent before. */
  readonly arrivedMs: number;
  /** Number of the connection that it came over, from 1. */
  readonly connection: number;
  readonly headers: IncomingMessage['headers'];
  /** Monotonic clock at its answer, milliseconds; `undefined`: it has none. */
  answeredMs: number | undefined;
  /** Ends the waiting for news. */
  cancelHold = (): void => {};
  readonly #response: ServerResponse;

  constructor(
    { body, arrivedMs, connection }: { body: Partial<Poll>; arrivedMs: number; connection: number },
    request: IncomingMessage,
    response: ServerResponse,
  ) {
    this.body = body;
    this.arrivedMs = arrivedMs;
    this.connection = connection;
    this.headers = request.headers;
    this.#response = response;
  }

  /** Whether the guard still waits for its answer. */
  get isOpen(): boolean {
    return this.answeredMs === undefined && !this.#response.destroyed;
  }

  /** Answers it, once. */
  answer(status: number, body: object): void {
    if (!this.isOpen) return;
    this.answeredMs = performance.now();
    this.cancelHold();
    const type = status === 200 ? 'application/json' : 'application/problem+json';
    this.#response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(JSON.stringify(body));
  }

  /** Answers it with the first part of a page: the length of the body fits, and its JSON does not end. */
  truncate(page: LoosePage): void {
    if (!this.isOpen) return;
    this.answeredMs = performance.now();
    this.cancelHold();
    this.#response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(page).slice(0, -1));
  }
}
