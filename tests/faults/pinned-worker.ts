/**
 * One worker of a deployment, and connections that stay with it.
 * @module
 */
import { Client } from 'undici';
import { basicOf } from '../harness/oauth.ts';

/** An answer as the watcher needs it. */
export interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** A worker, by the name in its answers. */
export class PinnedWorker {
  /** The machine of the worker. */
  readonly machine: number;
  /** Its place among the workers of its machine. */
  readonly number: number;
  readonly pid: number;
  /** With this guard key every third question about a token is an introspection: two tokens are asked about in turn. */
  guardKey: string | undefined;
  readonly #clients: readonly Client[];
  #next = 0;
  #verdicts = 0;

  constructor(machine: number, name: string, clients: readonly Client[]) {
    const [, number, pid] = name.split('/');
    this.machine = machine;
    this.number = Number(number);
    this.pid = Number(pid);
    this.#clients = clients;
  }

  /** Machine and worker number: unique among workers that serve at the same time. */
  get label(): string {
    return `${this.machine}/${this.number}`;
  }

  /** Sends on the connections in turn, so that a request that hangs does not delay the next. */
  async send(
    method: 'GET' | 'POST',
    path: string,
    options: { token?: string; body?: unknown; form?: URLSearchParams; authorization?: string } = {},
  ): Promise<Reply> {
    const { token, form, authorization = token === undefined ? undefined : `Bearer ${token}` } = options;
    const json = options.body === undefined ? null : JSON.stringify(options.body);
    const { statusCode, body } = await this.#nextClient().request({
      method,
      path,
      headers: {
        ...(authorization === undefined ? {} : { authorization }),
        ...(json === null ? {} : { 'content-type': 'application/json' }),
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      body: form === undefined ? json : String(form),
    });
    return { status: statusCode, body: (await body.json()) as Record<string, unknown> };
  }

  /** Asks about a token: 200, 401 or 503 as of `GET /auth/verify`. */
  verdict(token: string): Promise<Reply> {
    this.#verdicts += 1;
    return this.guardKey !== undefined && this.#verdicts % 3 === 0
      ? this.#introspect(token, this.guardKey)
      : this.send('GET', '/auth/verify', { token });
  }

  async #introspect(token: string, key: string): Promise<Reply> {
    const form = new URLSearchParams({ token });
    const { status, body } = await this.send('POST', '/oauth/introspect', { form, authorization: basicOf(key) });
    // Whatever else is answered, a database without the key for example, is no verdict.
    if (status !== 200) return { status: 503, body: { code: `introspection: ${String(body['code'])}` } };
    return body['active'] === true
      ? { status, body: { code: 'introspection: active' } }
      : { status: 401, body: { code: 'introspection: inactive' } };
  }

  /** Gets a text. */
  async read(path: string): Promise<string> {
    const { body } = await this.#nextClient().request({ method: 'GET', path });
    return body.text();
  }

  #nextClient(): Client {
    return this.#clients[this.#next++ % this.#clients.length] as Client;
  }

  /** Cuts its connections. */
  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.destroy()));
  }
}

/** Longest time for an answer: a request may wait for the deadline of a store, and a connection to a worker that has died is never answered. */
const answerMsMax = 8000;
const greetingMsMax = 2000;
/** Workers take connections in turn, so a few rounds find all of them. */
const attemptsMax = 400;

/**
 * Opens connections until there are enough to each worker.
 * @param workers number of workers
 * @param connectionsEach connections to each worker, so that a request that waits does not delay the others
 * @param machine number of the machine that answers there
 */
export const pinWorkers = async (
  url: string,
  workers: number,
  connectionsEach = 12,
  machine = 1,
): Promise<readonly PinnedWorker[]> => {
  const found = new Map<string, Client[]>();
  const isWhole = (): boolean =>
    found.size === workers && [...found.values()].every(({ length }) => length >= connectionsEach);
  try {
    for (let attempt = 0; attempt < attemptsMax && !isWhole(); attempt++) {
      const client = new Client(url, {
        pipelining: 1,
        keepAliveTimeout: 600_000,
        keepAliveMaxTimeout: 600_000,
        headersTimeout: answerMsMax,
        bodyTimeout: answerMsMax,
      });
      const name = await greet(client);
      const clients = found.get(name) ?? [];
      if (clients.length < connectionsEach) found.set(name, [...clients, client]);
      else await client.destroy();
    }
    if (!isWhole()) throw new Error(`Cannot find ${workers} workers: only ${[...found.keys()].join(', ')} answered`);
  } catch (error) {
    for (const client of [...found.values()].flat()) await client.destroy();
    throw error;
  }
  return [...found].map(([name, clients]) => new PinnedWorker(machine, name, clients));
};

/** Finds out which worker a connection leads to; closes the connection when the answer does not say. */
const greet = async (client: Client): Promise<string> => {
  try {
    const { headers, body } = await client.request({
      method: 'GET',
      path: '/health/live',
      headersTimeout: greetingMsMax,
    });
    await body.dump();
    return String(headers['catalytic-worker']);
  } catch (error) {
    await client.destroy();
    throw error;
  }
};
