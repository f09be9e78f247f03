/**
 * The lines of requests in the log. A refusal has one line, within a limit on lines of one code in
 * a second. Successes are only counted, unless LOG_LEVEL is `debug`.
 * @module
 */
import type { CatalyticError, ErrorCode } from '@catalytic/protocol/errors';
import { errorKind } from '@catalytic/protocol/errors';
import type { FastifyRequest } from 'fastify';
import type { AnswerCounts } from '../telemetry/answer-counts.ts';
import { limitLines } from '../telemetry/line-limit.ts';
import type { Logger } from '../telemetry/log.ts';

/** Writes the lines. */
export interface RequestLog {
  /**
   * Whether successes are written. Callers look first, so that they gather nothing for a line that
   * is not written.
   */
  readonly writesSuccesses: boolean;
  answered(request: FastifyRequest, status: number): void;
  refused(request: FastifyRequest, refusal: CatalyticError, status: number): void;
  /** The parser refused the input. */
  unparsed(code: ErrorCode): void;
  /** Writes how many lines were left out last. */
  close(): void;
}

/** The caller as far as it is known, by ids only. */
const callerOf = ({ caller }: FastifyRequest): object => {
  if (caller === undefined || !('token' in caller)) return {};
  const { tid, sub, sid } = caller.token.claims;
  return { tenantId: tid, accountId: sub, sessionId: sid };
};

/**
 * The fields of a line. The path and the query as the client sent them are not among them: they may
 * hold anything.
 */
const fieldsOf = (request: FastifyRequest, status: number): object => ({
  requestId: request.id,
  address: request.callerAddress,
  method: request.method,
  route: request.routeOptions.url,
  status,
  ...(request.startedMs > 0 && { durationMs: Math.trunc(performance.now()) - request.startedMs }),
  ...callerOf(request),
});

/**
 * A failure of the service is an error. A refusal because of its present state is a warning. A
 * refusal because of the request is news, also of one that asks for what the service does not
 * implement (501).
 */
const levelOf = (status: number, cause: unknown): 'error' | 'warn' | 'info' => {
  if (status < 500 || status === 501) return 'info';
  return status === 503 && cause === undefined ? 'warn' : 'error';
};

/** Opens the lines of one server. */
export const openRequestLog = (log: Logger, counts: AnswerCounts): RequestLog => {
  const limit = limitLines((code, leftOut) =>
    log.warn({ code, leftOut }, 'Left out lines of a code, because there were too many in a second'),
  );
  const mayWrite = (level: 'error' | 'warn' | 'info', code: ErrorCode): boolean => {
    if (!log.isLevelEnabled(level)) return false;
    const isAllowed = limit.allows(code);
    if (!isAllowed) counts.linesLeftOut++;
    return isAllowed;
  };
  return {
    writesSuccesses: log.isLevelEnabled('debug'),
    answered: (request, status) => log.debug(fieldsOf(request, status), 'Answered'),
    refused: (request, { code, cause }, status) => {
      const level = levelOf(status, cause);
      if (!mayWrite(level, code)) return;
      const fields = { code, ...fieldsOf(request, status) };
      if (level === 'error') log.error({ ...fields, error: cause }, 'Answering with an error');
      else log[level](fields, 'Refused');
    },
    unparsed: (code) => {
      if (mayWrite('info', code)) log.info({ code, status: errorKind(code).status }, 'Rejected a malformed request');
    },
    close: () => limit.close(),
  };
};
