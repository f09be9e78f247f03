/**
 * Refusals from outside the framework: what Node's HTTP parser cannot make a request of.
 * @module
 */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CatalyticError, type ErrorCode, errorKind } from '@catalytic/protocol/errors';
import { problemOf } from './problem.ts';

/** Refusals of Node's parser, which come before there is a request (https://nodejs.org/api/errors.html). */
const codeOfParserError: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** Sends the whole answer and closes the connection. */
export const endWithProblem = (socket: Duplex, code: ErrorCode): void => {
  const body = JSON.stringify(problemOf(new CatalyticError(code)));
  socket.end(
    `HTTP/1.1 ${errorKind(code).status} Refused\r\ncontent-type: application/problem+json; charset=utf-8\r\ncache-control: no-store\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
};

/** Answers a request that could not be parsed. */
export const answerParserError = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  endWithProblem(socket, codeOfParserError[error.code ?? ''] ?? 'request_malformed');
};
