/**
 * The lines that requests leave in the log. Refusals: one line each, and no more of one code in a second than say anything. Successes:
 * counted only, unless LOG_LEVEL is `debug`.
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
  /** Whether successes are written; asked first, so that nothing is gathered for a line that is not. */
  readonly writesSuccesses: boolean;
  answered(request: FastifyRequest, status: number): void;
  refused(request: FastifyRequest, refusal: CatalyticError, status: number): void;
  /** A request that was not understood far enough to be one. */
  unparsed(code: ErrorCode): void;
  /** Says what was left out last. */
  close(): void;
}

/** Who is known to call, by ids only. */
const callerOf = ({ caller }: FastifyRequest): object => {
  if (caller === undefined || !('token' in caller)) return {};
  const { tid, sub, sid } = caller.token.claims;
  return { tenantId: tid, accountId: sub, sessionId: sid };
};

/** Never the path or the query as they were sent: they may hold anything. */
const fieldsOf = (request: FastifyRequest, status: number): object => ({
  requestId: request.id,
  method: request.method,
  route: request.routeOptions.url,
  status,
  ...(request.startedMs > 0 && { durationMs: Math.trunc(performance.now()) - request.startedMs }),
  ...callerOf(request),
});

/** What failed in us is an error; what we cannot do now, and say so, a warning; what the client may not do is news. */
const levelOf = (status: number, cause: unknown): 'error' | 'warn' | 'info' => {
  if (status < 500) return 'info';
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
      if (mayWrite('info', code)) log.info({ code, status: errorKind(code).status }, 'Refused what is no request');
    },
    close: () => limit.close(),
  };
};
