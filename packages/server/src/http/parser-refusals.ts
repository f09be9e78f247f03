/**
 * Stage: Node's HTTP parser, with limits on header and time. It refuses input that is not HTTP, and
 * ends failed TLS handshakes.
 * @module
 */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CatalyticError, type ErrorCode, errorKind } from '@catalytic/protocol/errors';
import type { AnswerCounts } from '../telemetry/answer-counts.ts';
import type { ArrivingBodies } from './arriving-bodies.ts';
import { isClosing } from './close-gently.ts';
import type { OpenConnections } from './open-connections.ts';
import { problemBytes } from './problem.ts';
import type { RequestLog } from './request-log.ts';
import type { ConnectionStage } from './stage.ts';

/**
 * Errors of Node's parser (https://nodejs.org/api/errors.html); every other one is
 * `request_malformed`.
 */
const codeOfParserError: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** The refusals of this stage. */
export interface ParserRefusals {
  /** Sends the whole answer, after those under way, and closes the connection. */
  endWithProblem(socket: Duplex, code: ErrorCode): void;
  /** Answers a request that could not be parsed. */
  onParserError(error: NodeJS.ErrnoException, socket: Socket): void;
  /** Ends a connection whose handshake failed: there is no channel to say why. */
  onHandshakeError(error: Error, socket: Duplex): void;
}

/** Makes the refusals of a server: each is counted, and logged within the limit on lines. */
export const parserRefusals = (
  log: RequestLog,
  counts: AnswerCounts,
  connections: OpenConnections,
  arriving: Pick<ArrivingBodies, 'has'>,
): ParserRefusals => {
  const endWithProblem = (socket: Duplex, code: ErrorCode): void => {
    counts.refuse(undefined, code, errorKind(code).status);
    log.unparsed(code);
    connections.end(socket, problemBytes(new CatalyticError(code)));
  };
  return {
    endWithProblem,
    onParserError: (error, socket) => {
      if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && arriving.has(socket)) return;
      if (isClosing(socket) || connections.of(socket)?.isEnding === true) return;
      if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
      endWithProblem(socket, codeOfParserError[error.code ?? ''] ?? 'request_malformed');
    },
    onHandshakeError: (_error, socket) => {
      counts.cut('handshake');
      socket.destroy();
    },
  };
};

/** Dependencies of the stage. */
export interface ParseParts {
  readonly refusals: ParserRefusals;
}

/** The framework hands parser errors on by itself (`clientErrorHandler`); this mounts the rest. */
export const parse: ConnectionStage<ParseParts> = {
  name: 'parse',
  refuses: () => ['request_malformed', 'headers_too_large', 'request_timeout', 'header_invalid'],
  mount: (server, { refusals }) => {
    // Any expectation but 100-continue, which Node meets by itself.
    server.on('checkExpectation', (request) => refusals.endWithProblem(request.socket, 'header_invalid'));
    // In place of Node's own listener, which takes a failed handshake for a request that cannot be
    // parsed.
    server.removeAllListeners('tlsClientError').on('tlsClientError', refusals.onHandshakeError);
  },
};
