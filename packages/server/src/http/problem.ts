/**
 * From any error to the answer: a code of the error table in the route's format, by default RFC
 * 9457 problem details, and nothing else.
 * @module
 */
import {
  bearerChallenge,
  CatalyticError,
  type ErrorCode,
  errorKind,
  type Problem,
  problemType,
} from '@catalytic/protocol/errors';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { ProblemFormat } from '../features/route.ts';
import { storableTextPattern, storableTextRefusal } from '../features/storable-text.ts';
import type { AnswerCounts } from '../telemetry/answer-counts.ts';
import { isClosing } from './close-gently.ts';
import { requestIdHeader } from './request-id.ts';
import type { RequestLog } from './request-log.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route's, where it names one. */
    readonly problemFormat?: ProblemFormat;
  }
}

/**
 * Statuses of refusals by the framework, as codes of ours; any other refusal is of a malformed
 * request. What the framework blames on the client is never a failure of the service.
 */
const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  404: 'route_unknown',
  405: 'method_unsupported',
  408: 'request_timeout',
  413: 'body_too_large',
  415: 'content_type_unsupported',
  431: 'headers_too_large',
};

const codeOfFrameworkError = ({ validation, statusCode = 500 }: FastifyError): ErrorCode => {
  if (validation !== undefined) return 'body_invalid';
  const isRefusal = statusCode >= 400 && statusCode < 500;
  return isRefusal ? (codeOfStatus[statusCode] ?? 'request_malformed') : 'internal_error';
};

const problemOf = (error: CatalyticError, requestId?: string): Problem => {
  const { status, title } = errorKind(error.code);
  return {
    type: problemType(error.code),
    title,
    status,
    code: error.code,
    ...(error.message === title ? {} : { detail: error.message }),
    ...(error.fields === undefined ? {} : { errors: error.fields }),
    ...(requestId === undefined ? {} : { request_id: requestId }),
  };
};

/** Problem details (RFC 9457), the format of every route that names no other. */
export const problemDetails: ProblemFormat = {
  mediaType: 'application/problem+json',
  bodyOf: problemOf,
  schemaOf: (codes) => ({
    allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { type: 'string', enum: codes } } }],
  }),
};

/** The status with which a route answers a code. */
export const statusIn = ({ statusOf }: ProblemFormat, code: ErrorCode): number =>
  statusOf?.(code) ?? errorKind(code).status;

/** A whole answer as bytes, for a connection without a request that could be answered. */
export const problemBytes = (error: CatalyticError): string => {
  const body = JSON.stringify(problemOf(error));
  const retry = error.retryAfterSeconds === undefined ? '' : `retry-after: ${error.retryAfterSeconds}\r\n`;
  return (
    `HTTP/1.1 ${errorKind(error.code).status} Refused\r\ncontent-type: ${problemDetails.mediaType}; charset=utf-8\r\ncache-control: no-store\r\n${retry}` +
    `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
  );
};

/** Whether an answer has a challenge: not where OAuth answers a code of a 401 with 400 (RFC 6749 section 5.2). */
export const hasChallenge = (code: ErrorCode, status: number): boolean =>
  status !== 400 && errorKind(code).challenge !== undefined;

/** The challenge of an answer; a refused sign-in or refresh has judged no access token. */
const challengeOf = (format: ProblemFormat, code: ErrorCode, status: number): string | undefined => {
  if (!hasChallenge(code, status)) return undefined;
  if (format.challenge !== undefined) return format.challenge;
  const { challenge, title } = errorKind(code);
  return bearerChallenge(challenge === 'none' ? undefined : challenge, title);
};

const invalidFields = (error: FastifyError): Problem['errors'] =>
  error.validation?.map(({ instancePath, keyword, params, message }) => {
    const named = keyword === 'additionalProperties' ? params['additionalProperty'] : params['missingProperty'];
    const field = typeof named === 'string' ? `${instancePath}/${named}` : instancePath;
    return {
      field: field === '' ? '/' : field,
      message:
        keyword === 'additionalProperties'
          ? 'is not a known field'
          : params['pattern'] === storableTextPattern
            ? storableTextRefusal
            : (message ?? keyword),
    };
  });

/** Turns anything that was thrown into a refusal with a code. */
export const toCatalyticError = (error: FastifyError | CatalyticError): CatalyticError => {
  if (error instanceof CatalyticError) return error;
  const code = codeOfFrameworkError(error);
  const fields = invalidFields(error);
  return new CatalyticError(code, { ...(fields === undefined ? {} : { fields }), cause: error });
};

/**
 * Whether the client closed the connection in the middle of its body: no client reads the answer,
 * and the failure is not ours to log.
 */
const hasHungUp = ({ raw }: FastifyRequest, error: Error): boolean =>
  !(error instanceof CatalyticError) && raw.destroyed && !raw.complete;

/**
 * Answers with the problem, counts it and logs it. An unexpected failure is logged whole; the
 * answer says nothing of it.
 */
export const problemSender =
  (log: RequestLog, counts: AnswerCounts) =>
  (error: FastifyError | CatalyticError, request: FastifyRequest, reply: FastifyReply): void => {
    const refusal = hasHungUp(request, error) ? new CatalyticError('request_malformed') : toCatalyticError(error);
    const { url, config } = request.routeOptions;
    const format = config?.problemFormat ?? problemDetails;
    const status = statusIn(format, refusal.code);
    // A request that was cut off half-sent has its refusal already (`parser-refusals.ts`).
    if (!isClosing(request.raw.socket)) {
      counts.refuse(url, refusal.code, status);
      log.refused(request, refusal, status);
    }
    const challenge = challengeOf(format, refusal.code, status);
    if (challenge !== undefined) reply.header('www-authenticate', challenge);
    if (refusal.retryAfterSeconds !== undefined) reply.header('retry-after', String(refusal.retryAfterSeconds));
    // The rest of the request may still come.
    if (refusal.code === 'request_timeout') reply.header('connection', 'close');
    reply
      .code(status)
      .header('cache-control', 'no-store')
      .header('content-type', `${format.mediaType}; charset=utf-8`)
      .header(requestIdHeader, request.id)
      // Serialised here: the schemas of a route describe its successful answers only.
      .serializer(JSON.stringify)
      .send(format.bodyOf(refusal, request.id));
  };
