/**
 * Stage: the fast path of `GET /auth/verify`. It answers "yes", the most frequent answer, before
 * the framework sees the request.
 *
 * It takes the same steps with the same code as the stages behind it, and gives up at the first
 * that does not pass: a request in any other form, a token that is not remembered, any refusal.
 * Then those stages judge the request as if there were no fast path. So the fast path cannot
 * refuse, and every error has one place. The reason for it: docs/decisions/0016-hot-path.md.
 * @module
 */
import type { IncomingMessage } from 'node:http';
import type { SignedToken } from '@catalytic/guard/signature-checks';
import { paths } from '@catalytic/protocol/paths';
import { acceptRemembered, type CheckAccessTokenParts } from '../features/access-tokens/check-access-token.ts';
import { verifiedAnswer } from '../features/access-tokens/routes.ts';
import type { Route } from '../features/route.ts';
import { type AnswerCounts, countAnswer } from '../telemetry/answer-counts.ts';
import { bearerSecret } from './bearer.ts';
import { requestIdHeader } from './request-id.ts';
import type { RequestLog } from './request-log.ts';
import type { RequestStage } from './stage.ts';
import { refuseDoubledHeaders, refuseOddHead } from './strict-headers.ts';

/** Dependencies of the stage. */
export interface FastPathParts {
  readonly authentication: CheckAccessTokenParts;
  readonly stopping: { readonly isRefusing: boolean };
  /** Name the worker in each answer, where that is asked for. */
  readonly workerHeaders: Readonly<Record<string, string>>;
  readonly routes: readonly Route[];
  readonly counts: AnswerCounts;
  readonly log: Pick<RequestLog, 'writesSuccesses'>;
}

/**
 * The plainest form of the request: this method and target, no body announced, and nothing that
 * asks for a further header in the answer.
 */
const isPlainVerify = ({ method, url, headers }: IncomingMessage): boolean =>
  url === paths.verify &&
  method === 'GET' &&
  headers['content-length'] === undefined &&
  headers['transfer-encoding'] === undefined &&
  headers[requestIdHeader] === undefined &&
  headers.origin === undefined;

/** The accepted token, or `undefined`. */
const acceptedToken = (
  { authentication, stopping }: FastPathParts,
  request: IncomingMessage,
): SignedToken | undefined => {
  if (stopping.isRefusing) return undefined;
  try {
    refuseOddHead(request);
    refuseDoubledHeaders(request);
    return acceptRemembered(authentication, bearerSecret(request.headers.authorization, 'token_missing'));
  } catch {
    // A later stage refuses the request for the same reason, and names it.
    return undefined;
  }
};

/** An answer as Node takes it: names and values of its header in turn. */
interface WrittenAnswer {
  readonly header: readonly string[];
  readonly body: string;
}

const write = (token: SignedToken, workerHeaders: Readonly<Record<string, string>>): WrittenAnswer => {
  const { headers, body: value } = verifiedAnswer(token);
  const body = JSON.stringify(value);
  const header = {
    ...workerHeaders,
    ...headers,
    'cache-control': 'no-store',
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
  };
  return { header: Object.entries(header).flat(), body };
};

/**
 * Mounted where verify is a route. With `LOG_LEVEL=debug` each answer has a line in the log, which
 * only the stages behind it write.
 */
export const verifyFastPath: RequestStage<FastPathParts> = {
  name: 'verify fast path',
  mount: (_server, parts) => {
    const { routes, log, counts, workerHeaders } = parts;
    if (log.writesSuccesses || !routes.some(({ path }) => path === paths.verify)) return undefined;
    const answered = counts.of(paths.verify);
    // What an answer says of a token never changes; whether it is given is judged on every use. An
    // entry goes with the remembered signature of its token.
    const written = new WeakMap<SignedToken, WrittenAnswer>();
    return (request, response) => {
      const token = isPlainVerify(request) ? acceptedToken(parts, request) : undefined;
      if (token === undefined) return false;
      let answer = written.get(token);
      if (answer === undefined) {
        answer = write(token, workerHeaders);
        written.set(token, answer);
      }
      countAnswer(answered, 200);
      response.writeHead(200, answer.header as string[]).end(answer.body);
      return true;
    };
  },
};
