/**
 * A server that shares nothing between its processes, like many small systems: a comparison for one
 * that does.
 *
 * It answers the routes of the scenarios `auth` and `verify`: any email may log in (no password is
 * checked, nothing is hashed), tokens are JWTs under one HS256 key that every process has, and each
 * process keeps its own state:
 *
 * | state | kept per process | what goes wrong as soon as another process is asked |
 * |---|---|---|
 * | `blacklist` | tokens signed out | a dead token is accepted |
 * | `sessions` | tokens that live | a live token is refused |
 *
 * Never use it for anything else: it accepts every login.
 * @module
 */
import cluster, { type Worker } from 'node:cluster';
import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { paths } from '@catalytic/protocol/paths';

/**
 * An `import` of this module would also load Node's client for WebSocket, in every command of the
 * lab: 60 ms of CPU time at each start.
 */
const { createServer } = process.getBuiltinModule('node:http');

/** State that each process keeps to itself. */
export const naiveStates = ['blacklist', 'sessions'] as const;

/** One of {@link naiveStates}. */
export type NaiveState = (typeof naiveStates)[number];

/** How it is run. */
export interface NaiveOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly workers: number;
  readonly state: NaiveState;
  /**
   * Whether each answer ends its connection, so that the next request of a user reaches the next
   * process.
   */
  readonly closesConnections: boolean;
}

/** Lifetime of a token, seconds. */
const tokenSeconds = 900;
/** Tokens are kept in memory, as such systems do; a bound keeps a long run from filling it. */
const keptMax = 2_000_000;
const bodyBytesMax = 65_536;

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const header = base64url({ alg: 'HS256', typ: 'JWT' });

interface Claims {
  readonly sub: string;
  readonly sid: string;
  readonly exp: number;
}

/** One process of the server. */
class NaiveProcess {
  readonly #key: string;
  readonly #state: NaiveState;
  readonly #kept = new Set<string>();

  constructor(key: string, state: NaiveState) {
    this.#key = key;
    this.#state = state;
  }

  logIn(email: string): object {
    const sid = randomUUID();
    const signed = `${header}.${base64url({ sub: email, sid, exp: Math.floor(Date.now() / 1000) + tokenSeconds })}`;
    if (this.#state === 'sessions') this.#keep(sid);
    return {
      access_token: `${signed}.${this.#sign(signed)}`,
      token_type: 'Bearer',
      expires_in: tokenSeconds,
      session_id: sid,
    };
  }

  /** The claims of a token that this process accepts. */
  check(token: string): Claims | undefined {
    const end = token.lastIndexOf('.');
    const [signature, expected] = [Buffer.from(token.slice(end + 1)), Buffer.from(this.#sign(token.slice(0, end)))];
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) return undefined;
    const claims = JSON.parse(Buffer.from(token.slice(token.indexOf('.') + 1, end), 'base64url').toString()) as Claims;
    const isKept = this.#kept.has(claims.sid);
    return claims.exp * 1000 > Date.now() && isKept === (this.#state === 'sessions') ? claims : undefined;
  }

  logOut({ sid }: Claims): void {
    if (this.#state === 'sessions') this.#kept.delete(sid);
    else this.#keep(sid);
  }

  #keep(sid: string): void {
    if (this.#kept.size < keptMax) this.#kept.add(sid);
  }

  #sign(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }
}

const readBody = async (request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> => {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > bodyBytesMax) throw new Error('The body is too large');
  }
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
};

const isEmail = (value: unknown): value is string => typeof value === 'string' && /^[^@\s]+@[^@\s]+$/.test(value);

/** Answers one request. Returns status and body. */
const answer = async (process: NaiveProcess, request: IncomingMessage): Promise<readonly [number, object]> => {
  const { method, url } = request;
  if (url === paths.ready || url === paths.live) return [200, { status: 'ok' }];
  if (url === paths.register && method === 'POST') return [201, { account_id: randomUUID() }];
  if (url === paths.login && method === 'POST') {
    const { email } = await readBody(request).catch(() => ({ email: undefined }));
    return isEmail(email) ? [200, process.logIn(email)] : [400, { code: 'body_invalid' }];
  }
  const token = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
  const claims = process.check(token);
  const isKnown = url === paths.protectedSample || url === paths.verify || url === paths.logout;
  if (!isKnown) return [404, { code: 'route_not_found' }];
  if (claims === undefined) return [401, { code: 'token_revoked' }];
  if (url !== paths.logout) return [200, { active: true, claims }];
  process.logOut(claims);
  return [200, { revoked: true, propagation: 'complete' }];
};

const serveOne = ({ host, port, state, closesConnections }: NaiveOptions, key: string): void => {
  const process = new NaiveProcess(key, state);
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [status, body] = await answer(process, request);
    const text = JSON.stringify(body);
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      ...(closesConnections ? { connection: 'close' } : {}),
    });
    response.end(text);
  };
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    respond(request, response).catch(() => response.destroy());
  });
  server.listen({ host, port, backlog: 2048 });
};

/** Runs in a process that the first one has started, with its task in its arguments. */
const serveAsWorker = (): void => {
  const [, , text] = process.argv;
  if (!cluster.isWorker || text === undefined) return;
  const { options, key } = JSON.parse(text) as { readonly options: NaiveOptions; readonly key: string };
  serveOne(options, key);
};

const listening = (worker: Worker): Promise<number> =>
  new Promise((resolve, reject) => {
    worker.once('listening', ({ port }) => resolve(port));
    worker.once('exit', (code) => reject(new Error(`A process of the naive server ended with ${code}`)));
  });

/**
 * Serves until the process is asked to stop; the processes take connections in turn.
 * @returns the port
 */
export const serveNaive = async (options: NaiveOptions): Promise<number> => {
  cluster.schedulingPolicy = cluster.SCHED_RR;
  const key = randomBytes(32).toString('base64url');
  cluster.setupPrimary({ exec: import.meta.filename, args: [JSON.stringify({ options, key })] });
  let port = options.port;
  for (let count = 0; count < options.workers; count++) port = await listening(cluster.fork());
  return port;
};

serveAsWorker();
