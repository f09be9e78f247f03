/**
 * Bodies that a use case reads while they arrive. A large one over a slow line takes long, so its
 * silences are bounded, and not the whole of it.
 * @module
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { CatalyticError } from '@catalytic/protocol/errors';
import type { Stopping } from './drain.ts';

/** Time between two looks at a body that is waited for, milliseconds. */
const lookMs = 100;

/** Dependencies. */
export interface ArrivingParts {
  /** Longest silence, milliseconds. */
  readonly requestTimeoutMs: number;
  readonly stopping: Stopping;
}

/** The bodies of one server. */
export class ArrivingBodies {
  readonly #parts: ArrivingParts;
  readonly #sockets = new WeakSet<Socket>();

  constructor(parts: ArrivingParts) {
    this.#parts = parts;
  }

  /**
   * Whether a body arrives on this connection: Node's limit on the time of a whole request does not
   * apply to it.
   */
  has(socket: Socket): boolean {
    return this.#sockets.has(socket);
  }

  /**
   * Reads a body.
   * @throws {CatalyticError} `request_timeout` after a silence, `shutting_down` when the service
   *   stops
   */
  async *read(request: IncomingMessage): AsyncGenerator<Buffer> {
    const { socket } = request;
    // Not destroyed at a return: Node would read nothing more from the connection, and a later
    // request on it would wait for ever.
    const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
    this.#sockets.add(socket);
    let isWaiting = false;
    try {
      for (;;) {
        isWaiting = true;
        const { done, value } = await this.#next(chunks.next());
        isWaiting = false;
        if (done === true) return;
        yield value;
      }
    } finally {
      this.#sockets.delete(socket);
      // While a chunk is waited for, a return would wait for it too.
      if (!isWaiting) await chunks.return?.();
      // The rest of a body that is refused is dropped as it arrives.
      request.resume();
    }
  }

  /**
   * Waits for the next chunk. The time in which the use case works on the one before does not count
   * as silence.
   */
  async #next(chunk: Promise<IteratorResult<Buffer>>): Promise<IteratorResult<Buffer>> {
    const { requestTimeoutMs, stopping } = this.#parts;
    const cut = Promise.withResolvers<never>();
    const sinceMs = performance.now();
    const timer = setInterval(() => {
      if (stopping.isRefusing) cut.reject(new CatalyticError('shutting_down', { retryAfterSeconds: 1 }));
      else if (performance.now() - sinceMs > requestTimeoutMs) cut.reject(new CatalyticError('request_timeout'));
    }, lookMs);
    // The connection may end after the body was given up.
    chunk.catch(() => {});
    try {
      return await Promise.race([chunk, cut.promise]);
    } finally {
      clearInterval(timer);
    }
  }
}
