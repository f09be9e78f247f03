/**
 * The way to the writer thread.
 * @module
 */
import { Worker } from 'node:worker_threads';
import { unavailable } from './unavailable.ts';
import type { WriteReply, WriteRequest } from './writer-thread.ts';
import type { WriteInput, WriteName, WritePort, WriteResult } from './writes.ts';

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Most operations that wait at once. With more the database does not keep up, and a longer queue
 * would only hide that.
 */
const waitingMax = 20_000;

/**
 * An operation failed, or the writer thread has ended. It is unknown whether the operation became
 * durable.
 */
export class WriteError extends Error {
  override readonly name = 'WriteError';
}

/**
 * Sends operations to the writer thread. Each promise resolves after the commit that made its
 * operation durable.
 */
export class Writer {
  readonly #thread: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<void>;
  #nextId = 0;
  #failure: WriteError | undefined;
  /**
   * Whether an operation has failed since a probe last wrote. Then a probe must write, because an
   * empty commit succeeds on a full disk too.
   */
  #hasFailed = false;
  // Operations of one turn of the event loop travel in one message.
  #batch: WriteRequest[] = [];

  /**
   * @param onFailure called when the thread dies unexpectedly: the process cannot write any more
   *   and should end
   */
  constructor(path: string, onFailure: (error: Error) => void) {
    this.#thread = new Worker(new URL('./writer-thread.ts', import.meta.url), { workerData: { path } });
    this.#thread.on('message', (replies: readonly WriteReply[]) => {
      for (const reply of replies) this.#settle(reply);
    });
    this.#thread.on('error', (error) => {
      this.#fail(new WriteError('Cannot write: the writer thread failed', { cause: error }));
      onFailure(error as Error);
    });
    this.#ended = new Promise((resolve) => {
      this.#thread.on('exit', () => {
        this.#fail(new WriteError('Cannot write: the writer thread has ended'));
        resolve();
      });
    });
  }

  /**
   * The operations of a port: `writer.of('sessions')('open')` is one of them. It resolves after the
   * commit.
   * @throws {CatalyticError} `store_unavailable` with a {@link WriteError} as its cause
   */
  of<Port extends WritePort>(
    port: Port,
  ): <Name extends WriteName<Port>>(name: Name) => (input: WriteInput<Port, Name>) => Promise<WriteResult<Port, Name>> {
    return <Name extends WriteName<Port>>(name: Name) => {
      const fullName = `${port}.${name}`;
      return (input) => this.#run(fullName, input) as Promise<WriteResult<Port, Name>>;
    };
  }

  /** Checks whether writing works: by the last write, and if that failed, by another one. */
  async probe(): Promise<void> {
    const isWriting = this.#hasFailed;
    await this.of('database')('probe')({ isWriting });
    if (isWriting) this.#hasFailed = false;
  }

  /** Commits the operations that were sent, closes the database and ends the thread. */
  async close(): Promise<void> {
    this.#send();
    this.#thread.postMessage('close');
    await this.#ended;
  }

  #run(name: string, input: unknown): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(unavailable(this.#failure));
    if (this.#waiting.size >= waitingMax)
      return Promise.reject(unavailable(new WriteError(`Cannot write: ${waitingMax} operations are waiting`)));
    const id = this.#nextId++;
    if (this.#batch.length === 0) queueMicrotask(() => this.#send());
    this.#batch.push({ id, name, input });
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
  }

  #send(): void {
    if (this.#batch.length > 0) this.#thread.postMessage(this.#batch);
    this.#batch = [];
  }

  #settle(reply: WriteReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ('error' in reply) {
      this.#hasFailed = true;
      waiting?.reject(unavailable(new WriteError(reply.error)));
    } else waiting?.resolve(reply.result);
  }

  #fail(error: WriteError): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.values()) reject(unavailable(error));
    this.#waiting.clear();
  }
}
