/**
 * A server with one fault, for the bench `planted-faults`: it signs in every account, answers the requests of the scenario `mixed`, and does
 * one thing wrong.
 * @module
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { paths } from '@catalytic/protocol/paths';
import { startHttpServer } from '../../tests/harness/http-server.ts';
import { serveTasks, startChild } from '../harness/child.ts';

/** Its faults by name, each with a sentence. */
export const serverFaults = {
  none: 'nothing: the control',
  'stale view': 'a token is accepted for two seconds after its sign-out was answered',
  'lost delete': 'a token that was refused is accepted again after two seconds',
  'live refused': 'one check of a live token in twenty is refused',
  'double refresh': 'a refresh token that is presented twice gets two successors',
  'yes to everything': 'every request is answered 200',
  'only errors': 'every request is answered 500',
  'empty answers': 'every answer has the right status and nothing in it',
  slow: 'every answer takes a second',
} as const;

/** Name of a fault. */
export type ServerFault = keyof typeof serverFaults;

const tokenSeconds = 900;
const wrongMs = 2000;
/** The session of a token, by which the server finds it. */
const sessionOf = (token: string): string => token.split('.')[1] ?? '';

const newRefreshToken = (session: string): string => `refresh.${session}.${randomUUID()}`;

class FaultyService {
  readonly #fault: ServerFault;
  readonly #endedMs = new Map<string, number>();
  readonly #successors = new Map<string, string>();
  #checks = 0;

  constructor(fault: ServerFault) {
    this.#fault = fault;
  }

  #grant(session: string, refreshToken = newRefreshToken(session)): object {
    return {
      access_token: `access.${session}.${randomUUID()}`,
      token_type: 'Bearer',
      expires_in: tokenSeconds,
      session_id: session,
      refresh_token: refreshToken,
    };
  }

  #isEnded(session: string): boolean {
    const endedMs = this.#endedMs.get(session);
    if (endedMs === undefined) return false;
    const hasPassed = performance.now() - endedMs >= wrongMs;
    return this.#fault === 'stale view' ? hasPassed : this.#fault === 'lost delete' ? !hasPassed : true;
  }

  #refresh(presented: string): readonly [number, object] {
    const session = sessionOf(presented);
    if (this.#isEnded(session)) return [401, { code: 'session_ended' }];
    const known = this.#fault === 'double refresh' ? undefined : this.#successors.get(presented);
    const successor = known ?? newRefreshToken(session);
    this.#successors.set(presented, successor);
    return [200, this.#grant(session, successor)];
  }

  answer(
    method: string,
    path: string,
    bearer: string,
    body: Readonly<Record<string, unknown>>,
  ): readonly [number, object] {
    if (this.#fault === 'only errors') return [500, { code: 'internal_error' }];
    if (path === paths.ready) return [200, { status: 'ready' }];
    if (this.#fault === 'yes to everything') return [200, {}];
    if (this.#fault === 'empty answers') return [path === paths.register ? 201 : 200, {}];
    if (path === paths.register) return [201, { account_id: randomUUID() }];
    if (path === paths.login) return [200, this.#grant(randomUUID())];
    if (path === paths.refresh) return this.#refresh(String(body['refresh_token']));
    const session = sessionOf(bearer);
    if (path === paths.logout && method === 'POST') {
      if (!this.#endedMs.has(session)) this.#endedMs.set(session, performance.now());
      return [200, { revoked: true, propagation: 'complete' }];
    }
    if (path !== paths.protectedSample && path !== paths.verify) return [404, { code: 'route_unknown' }];
    this.#checks += 1;
    const isRefused = this.#isEnded(session) || (this.#fault === 'live refused' && this.#checks % 20 === 0);
    return isRefused ? [401, { code: 'token_revoked' }] : [200, { active: true, claims: { sid: session } }];
  }
}

const readBody = async (request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> => {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? {} : (JSON.parse(text) as Readonly<Record<string, unknown>>);
};

const serve = async (fault: ServerFault): Promise<string> => {
  const service = new FaultyService(fault);
  const answer: RequestListener = async (request, response) => {
    const bearer = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
    const body = await readBody(request);
    if (fault === 'slow' && request.url !== paths.ready) await delay(1000);
    const [status, content] = service.answer(request.method ?? '', request.url ?? '', bearer, body);
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    response.writeHead(status, { 'content-type': type }).end(JSON.stringify(content));
  };
  return (await startHttpServer(answer, { keepAliveTimeout: 60_000 })).url;
};

type FaultyServerTasks = { serve(fault: ServerFault): Promise<string> };

/** Starts it in a separate process. */
export const startFaulty = async (fault: ServerFault): Promise<{ readonly url: string } & AsyncDisposable> => {
  const child = startChild<FaultyServerTasks>(import.meta.url);
  return { url: await child.ask('serve', fault), [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
};

if (import.meta.main) serveTasks({ serve } satisfies FaultyServerTasks);
