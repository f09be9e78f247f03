/**
 * A service that answers guards when, and what, a test says: it stands for a foreign or hostile one.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Page, PageEntry, Poll } from '../../packages/protocol/src/guards.ts';
import { httpServerIn } from './http-server.ts';
import type { Scope } from './scope.ts';
import { waitUntil } from './wait-until.ts';

/** A request that waits for its answer. */
export interface ScriptedRequest {
  /** Method and path. */
  readonly line: string;
  readonly body: Partial<Poll>;
  readonly authorization: string | undefined;
  /** Which connection it came over: connections are numbered from 1. */
  readonly connection: number;
  /** Answers it. */
  answer(status: number, body?: unknown, headers?: Readonly<Record<string, string>>): void;
  /** Answers it with a page that belongs to it. */
  page(change?: Partial<Omit<Page, 'entries'>> & { readonly entries?: readonly unknown[] }): void;
  /** Cuts its connection. */
  cut(): void;
}

/** The service. */
export interface ScriptedService {
  readonly url: string;
  /** Ids whose rows were removed. */
  readonly left: readonly string[];
  /** Called when a guard asks to leave. Another answer than `undefined` is the status of a refusal. */
  onLeave: (id: string) => number | undefined;
  /** Whether requests for the keys wait for {@link ScriptedService.next}. @default false */
  holdsKeys: boolean;
  /** The published keys, and their entity tag. */
  keys: readonly object[];
  keysTag: string | undefined;
  /** The next request, which must be this one. */
  next(line?: string): Promise<ScriptedRequest>;
  /** Requests that have arrived and were not asked for. */
  readonly waiting: number;
}

/** An entry about a session. */
export const entryOf = (key: string, keepUntilMs: number | null = null): PageEntry => ({
  ...{ kind: 'session', key, keep_until: keepUntilMs },
});

const pollLine = 'POST /revocations';
const waitMsMax = 5000;

const readBody = async (request: IncomingMessage): Promise<Partial<Poll>> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString('utf8')) as Partial<Poll>);
};

/** Starts the service. @param nowMs its wall clock */
export const scriptedServiceIn = async (scope: Scope, nowMs: () => number): Promise<ScriptedService> => {
  const requests: ScriptedRequest[] = [];
  const left: string[] = [];
  const connections = new WeakMap<object, number>();
  let connectionCount = 0;

  const scripted = (request: IncomingMessage, response: ServerResponse, body: Partial<Poll>): ScriptedRequest => {
    const answer: ScriptedRequest['answer'] = (status, value = {}, headers = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
    };
    return {
      ...{ line: `${request.method} ${request.url}`, body, authorization: request.headers.authorization },
      ...{ connection: connections.get(request.socket) ?? 0, answer, cut: () => void request.socket.destroy() },
      page: (change = {}) =>
        answer(200, {
          ...{ nonce: body.nonce, guard: body.guard ?? null, history: 'one', cursor: 'c', more: false, lease_ms: 5000 },
          ...{ now: nowMs(), keep_ms: 1_000_000, keys: 'k1', tenant: null, entries: [], ...change },
        }),
    };
  };

  const { url } = await httpServerIn(scope, async (request, response) => {
    if (!connections.has(request.socket)) connections.set(request.socket, ++connectionCount);
    const body = await readBody(request);
    const given = scripted(request, response, body);
    if (request.method === 'DELETE') {
      const id = (request.url ?? '').slice('/revocations/guards/'.length);
      const refused = service.onLeave(id);
      if (refused === undefined) left.push(id);
      response.writeHead(refused ?? 204).end();
    } else if (request.method === 'GET' && !service.holdsKeys)
      given.answer(200, { keys: service.keys }, service.keysTag === undefined ? {} : { etag: service.keysTag });
    else requests.push(given);
  });
  const service: ScriptedService = {
    ...{ url, left, onLeave: () => undefined, holdsKeys: false, keys: [], keysTag: undefined },
    next: async (line = pollLine) => {
      await waitUntil('the guard', `send ${line}`, waitMsMax, () => requests.length > 0);
      const [request] = requests.splice(0, 1);
      if (request?.line !== line) throw new Error(`The guard sent ${request?.line} instead of ${line}`);
      return request;
    },
    get waiting() {
      return requests.length;
    },
  };
  return service;
};
