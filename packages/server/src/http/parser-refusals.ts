/**
 * Refusals from outside the framework: what Node's HTTP parser cannot make a request of, and handshakes that fail.
 * @module
 */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CatalyticError, type ErrorCode, errorKind } from '@catalytic/protocol/errors';
import type { AnswerCounts } from '../telemetry/answer-counts.ts';
import { problemBytes } from './problem.ts';
import type { RequestLog } from './request-log.ts';

/** Refusals of Node's parser, which come before there is a request (https://nodejs.org/api/errors.html). */
const codeOfParserError: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** Refuses what is no request. */
export interface ParserRefusals {
  /** Sends the whole answer and closes the connection. */
  endWithProblem(socket: Duplex, code: ErrorCode): void;
  /** Answers a request that could not be parsed. */
  onParserError(error: NodeJS.ErrnoException, socket: Socket): void;
  /** Ends a connection whose handshake failed: there is no channel to say why. */
  onHandshakeError(error: Error, socket: Duplex): void;
}

/** Refusals that are counted, and logged as far as they say anything. */
export const parserRefusals = (log: RequestLog, counts: AnswerCounts): ParserRefusals => {
  const endWithProblem = (socket: Duplex, code: ErrorCode): void => {
    counts.refuse(undefined, code, errorKind(code).status);
    log.unparsed(code);
    socket.end(problemBytes(new CatalyticError(code)));
  };
  return {
    endWithProblem,
    onParserError: (error, socket) => {
      if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
      endWithProblem(socket, codeOfParserError[error.code ?? ''] ?? 'request_malformed');
    },
    onHandshakeError: (_error, socket) => {
      counts.cut('handshake');
      socket.destroy();
    },
  };
};
