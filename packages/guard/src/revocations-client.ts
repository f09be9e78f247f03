/**
 * The requests of a guard: polls on one kept connection, everything else beside it, so that neither
 * waits for the other.
 * @module
 */
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { Poll, Registration } from '@catalytic/protocol/guards';
import { paths } from '@catalytic/protocol/paths';
import type { Clocks } from './clocks.ts';

/** An answer, read whole. */
export interface Reply {
  readonly status: number;
  /** The body; `undefined` when it is no JSON. */
  readonly value: unknown;
  /** Code of a problem; `undefined` when the body is none. */
  readonly code: string | undefined;
  readonly etag: string | undefined;
  /** What `Retry-After` says, milliseconds. */
  readonly retryAfterMs: number | undefined;
}

/** What a client works with. */
export interface RevocationsClientParts {
  /** URL of the service, without a slash at its end. */
  readonly url: string;
  /** The guard key. */
  readonly key: string;
  readonly clocks: Pick<Clocks, 'after'>;
  /** Longest time for an answer to anything but a poll, milliseconds. */
  readonly timeoutMs: number;
}

interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: object;
  readonly deadlineMs: number;
  /** Whether anybody may ask for it: then the key is not sent. @default false */
  readonly isPublic?: boolean;
}

/** Longest answer that is read, bytes: ten thousand entries of usual length have about 1.5 MB. */
const answerBytesMax = 8_000_000;
/** Longest wait that `Retry-After` may ask for, milliseconds. */
const retryAfterMsMax = 3_600_000;

const readValue = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
};

const replyOf = ({ statusCode = 0, headers }: IncomingMessage, bytes: Buffer): Reply => {
  const value = readValue(bytes);
  const { code } = (typeof value === 'object' && value !== null ? value : {}) as { readonly code?: unknown };
  const seconds = /^\d{1,9}$/.exec(headers['retry-after'] ?? '')?.[0];
  return {
    status: statusCode,
    value,
    code: typeof code === 'string' ? code : undefined,
    etag: headers.etag,
    retryAfterMs: seconds === undefined ? undefined : Math.min(retryAfterMsMax, Number(seconds) * 1000),
  };
};

/** Connections of one purpose. They follow no redirect: the key goes to the service only. */
class Connections {
  readonly #parts: RevocationsClientParts;
  readonly #isSecure: boolean;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #underWay = new Set<ClientRequest>();

  constructor(parts: RevocationsClientParts, isKept: boolean) {
    this.#parts = parts;
    this.#isSecure = parts.url.startsWith('https:');
    this.#agent = new (this.#isSecure ? HttpsAgent : HttpAgent)({ keepAlive: isKept });
  }

  /** Gives up what is open: the next request opens another connection. */
  renew(): void {
    this.#agent.destroy();
  }

  /** Gives up the requests under way. */
  abort(): void {
    for (const sent of this.#underWay) sent.destroy(new Error('it did not answer while requests waited for it'));
  }

  /** @throws when there is no whole answer in time */
  send({ method, path, body, deadlineMs, isPublic = false }: Call): Promise<Reply> {
    const { url, key, clocks } = this.#parts;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      ...(!isPublic && { authorization: `Bearer ${key}` }),
      ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    };
    const start = this.#isSecure ? requestHttps : requestHttp;
    return new Promise<Reply>((resolve, reject) => {
      const sent = start(`${url}${path}`, { method, headers, agent: this.#agent });
      const cancel = clocks.after(deadlineMs, () =>
        sent.destroy(new Error(`it did not answer within ${deadlineMs} ms`)),
      );
      this.#underWay.add(sent);
      sent.once('close', () => {
        cancel();
        this.#underWay.delete(sent);
        reject(new Error('the connection was closed before the whole answer had arrived'));
      });
      sent.on('error', reject);
      sent.once('response', (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          bytes += chunk.length;
          if (bytes > answerBytesMax) sent.destroy(new Error('the answer is too long to be one of Catalytic'));
        });
        response.on('error', reject);
        response.once('end', () => resolve(replyOf(response, Buffer.concat(chunks))));
      });
      sent.end(text);
    });
  }
}

/** Sends the requests of one guard. Every call rejects when the service does not answer in time. */
export class RevocationsClient {
  readonly #timeoutMs: number;
  readonly #polls: Connections;
  readonly #others: Connections;

  constructor(parts: RevocationsClientParts) {
    this.#timeoutMs = parts.timeoutMs;
    this.#polls = new Connections(parts, true);
    // Rare, and a kept connection would stick to a worker that is sick.
    this.#others = new Connections(parts, false);
  }

  /**
   * Asks for revocations.
   * @param isNewConnection whether to leave the present connection: a kept one sticks to a worker
   *   that may be sick
   */
  poll(body: Poll, deadlineMs: number, isNewConnection: boolean): Promise<Reply> {
    if (isNewConnection) this.#polls.renew();
    return this.#polls.send({ method: 'POST', path: paths.revocations, body, deadlineMs });
  }

  /** Gives up the poll under way; it rejects. */
  abortPoll(): void {
    this.#polls.abort();
  }

  register(body: Registration): Promise<Reply> {
    return this.#others.send({ method: 'POST', path: paths.guards, body, deadlineMs: this.#timeoutMs });
  }

  leave(id: string): Promise<Reply> {
    const path = paths.guard.replace(':id', encodeURIComponent(id));
    return this.#others.send({ method: 'DELETE', path, deadlineMs: this.#timeoutMs });
  }

  /** The published signing keys. */
  keys(): Promise<Reply> {
    return this.#others.send({ method: 'GET', path: paths.jwks, deadlineMs: this.#timeoutMs, isPublic: true });
  }

  /** Ends every connection. */
  close(): void {
    this.#polls.renew();
    this.#others.renew();
  }
}
