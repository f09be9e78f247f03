/**
 * The server that gateways ask: any method, any path, one verdict.
 * @module
 */
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { problemType } from '@catalytic/protocol/errors';
import { emptyIdentityHeaders, identityHeaders } from '@catalytic/protocol/identity-headers';
import { announcesBody } from '../announces-body.ts';
import type { Guard, ProtectedResource } from '../guard.ts';
import type { Mode } from '../verdicts.ts';
import { originalTarget, type PathSource, pathOf } from './original-path.ts';
import { type PathRules, requirementsOfPath } from './path-rules.ts';
import { bothRequirements, noRequirements, type Requirements, requirementsOfQuery } from './requirements.ts';

/** What the server works with. */
export interface CheckServerParts {
  readonly guard: Pick<Guard, 'verify'>;
  readonly mode: Mode;
  readonly pathFrom: PathSource | undefined;
  readonly rules: PathRules;
  /** The metadata of the API; absent: none. */
  readonly resource: ProtectedResource | undefined;
  /** Called with the reason of each answer that a wrong setting of the gateway has caused. */
  readonly onMisconfigured: (reason: string) => void;
  /** Called with each request. */
  readonly onAsked: () => void;
  /** Called when its answer has been sent, or its connection has ended. */
  readonly onEnded: () => void;
  /** Called with the status of each answer. */
  readonly onAnswered: (status: number) => void;
  /** Called when no answer could be made: the connection is cut. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * Longest head of a request, bytes. A gateway sends the whole head of its client on, which nginx
 * takes up to 32 KiB of by default.
 */
const headBytesMax = 65_536;

/** Longest time for a head to arrive, milliseconds: a gateway sends it at once. */
const headMsMax = 10_000;
/** How often connections are looked through for such heads, milliseconds. */
const headLookMs = 2000;

/** Most connections, so that their memory has an end. Gateways ask over some dozens. */
const connectionsMax = 10_000;

/**
 * How long an idle connection is kept, milliseconds: longer than gateways keep theirs by default
 * (nginx 60 s, Traefik 90 s, Caddy 120 s), because one that is closed as they use it fails a request.
 */
const idleMsMax = 150_000;

/** How much of a body that nobody reads is thrown away before the connection is cut, bytes. */
const discardedBytesMax = 1_048_576;
/** For how long it is thrown away, milliseconds. */
const discardMsMax = 1000;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const problem = (status: 400 | 403, code: string, title: string, detail?: string): Answer => ({
  status,
  headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
  body: JSON.stringify({ type: problemType(code), title, status, code, detail }),
});

const unreadable = problem(400, 'request_malformed', 'The request is not HTTP/1.1 or HTTP/1.0');
const doubled = problem(400, 'header_duplicated', 'A header that may appear once appears more than once');
const ambiguousPath = problem(403, 'path_ambiguous', 'The path could be read in two ways: no rule can be sure of it');

/** A gateway that asks in a way that no verdict can follow from: its operator must change it. */
const misconfigured = (parts: CheckServerParts, code: string, reason: string): Answer => {
  parts.onMisconfigured(reason);
  return problem(400, code, 'The gateway asks for a verdict in a way that cannot be understood', reason);
};

/** The metadata of the API, which no token is needed for, and for nobody: a gateway may let the request pass. */
const metadataFor = ({ resource }: CheckServerParts, { method, url }: IncomingMessage): Answer | undefined => {
  const isRead = method === 'GET' || method === 'HEAD';
  if (resource === undefined || !isRead || url?.split('?', 1)[0] !== resource.path) return undefined;
  return {
    status: 200,
    headers: { ...emptyIdentityHeaders, 'content-type': 'application/json' },
    body: JSON.stringify(resource.document),
  };
};

/** What the request must have, or the answer that says why that cannot be known. */
const requirementsOf = (parts: CheckServerParts, request: IncomingMessage): Requirements | Answer => {
  const { mode, pathFrom, rules } = parts;
  const target = request.url ?? '';
  try {
    const ofQuery = pathFrom === 'request' ? noRequirements : requirementsOfQuery(mode, target);
    if (pathFrom === undefined || rules.length === 0) return ofQuery;
    const original = originalTarget(request, pathFrom);
    if (original === undefined)
      return misconfigured(parts, 'path_missing', `Cannot find the path: the gateway must send one ${pathFrom} header`);
    const path = pathOf(original);
    if (path === undefined) return ambiguousPath;
    return bothRequirements(requirementsOfPath(rules, path), ofQuery);
  } catch (error) {
    return misconfigured(parts, 'requirement_unknown', (error as Error).message);
  }
};

const answerTo = async (parts: CheckServerParts, request: IncomingMessage): Promise<Answer> => {
  const { httpVersion, headers, headersDistinct } = request;
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return unreadable;
  // Of two Node keeps the first, and the API behind the gateway may keep the other.
  if ((headersDistinct['authorization']?.length ?? 0) > 1) return doubled;
  const metadata = metadataFor(parts, request);
  if (metadata !== undefined) return metadata;
  const requirements = requirementsOf(parts, request);
  if ('status' in requirements) return requirements;
  const verdict = await parts.guard.verify(headers.authorization, requirements);
  if (!verdict.accepted) return verdict.refusal;
  return {
    status: 200,
    headers: { ...identityHeaders(verdict.auth.claims), 'cache-control': 'no-store' },
    body: '',
  };
};

/**
 * Sends the answer without waiting for the body, and throws away what arrives of it. The connection
 * ends: gateways announce bodies that they then do not send, and the next request on it would be
 * taken for the body.
 */
const sendBeforeBody = (request: IncomingMessage, response: ServerResponse, body: string): void => {
  let bytes = 0;
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, discardMsMax);
  request.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > discardedBytesMax) request.socket.destroy();
  });
  request.once('end', end);
  response.once('close', () => clearTimeout(timer));
  response.flushHeaders();
  if (body !== '') response.write(body);
};

const send = (
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: Answer,
  isStopping: boolean,
): void => {
  const hasBody = announcesBody(request);
  response.writeHead(status, {
    ...headers,
    'content-length': Buffer.byteLength(body),
    ...((hasBody || isStopping) && { connection: 'close' }),
  });
  if (hasBody) sendBeforeBody(request, response, body);
  else response.end(body);
};

/** Makes the server. It does not listen yet. */
export const createCheckServer = (parts: CheckServerParts): Server => {
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    parts.onAsked();
    response.once('close', parts.onEnded);
    void answerTo(parts, request)
      .then((answer) => {
        if (!response.destroyed) send(request, response, answer, !server.listening);
        parts.onAnswered(answer.status);
      })
      .catch((error: unknown) => {
        request.socket.destroy();
        parts.onFailed(error);
      });
  };
  const server = createServer(
    {
      maxHeaderSize: headBytesMax,
      headersTimeout: headMsMax,
      requestTimeout: headMsMax,
      connectionsCheckingInterval: headLookMs,
      keepAliveTimeout: idleMsMax,
      // It says nothing to a server of one subject, and HTTP/1.0 has none.
      requireHostHeader: false,
    },
    handle,
  );
  // Node drops fields above a number in silence: a client that sends many could hide those that the gateway adds. Bytes
  // are the bound.
  server.maxHeadersCount = 0;
  server.maxConnections = connectionsMax;
  // Else Node would ask for the body that nobody reads.
  server.on('checkContinue', handle);
  server.on('checkExpectation', handle);
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    // Node has let go of this connection: without a listener its reset would end the process.
    socket.on('error', () => {});
    response.once('finish', () => (socket as Socket).destroySoon());
    handle(request, response);
  });
  return server;
};
