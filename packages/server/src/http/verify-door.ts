/**
 * A door in front of the pipeline for the one answer that is asked for most: "yes" to `GET /auth/verify`.
 *
 * It takes the same steps with the same code and gives up at the first that does not pass: a request in any other form, a token that is not
 * remembered, any refusal. Then the pipeline judges the request as if there were no door. So the door cannot refuse, and every error has
 * one place. Why it is there: docs/decisions/0016-hot-path.md.
 * @module
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { paths } from '@catalytic/protocol/paths';
import { acceptRemembered, type CheckAccessTokenParts } from '../features/access-tokens/check-access-token.ts';
import { verifiedBody } from '../features/access-tokens/routes.ts';
import { countAnswer, type RouteCounts } from '../telemetry/answer-counts.ts';
import { bearerSecret } from './bearer.ts';
import { requestIdHeader } from './request-id.ts';
import { refuseDoubledHeaders, refuseOddHead } from './strict-headers.ts';

/** What the door works with. */
export interface VerifyDoorParts {
  readonly authentication: CheckAccessTokenParts;
  /** Whether new work is refused. */
  readonly isRefusing: () => boolean;
  /** Named in each answer when given. */
  readonly workerName: string | undefined;
  /** Where its answers are counted. */
  readonly answered: RouteCounts;
}

/** The plainest form of the request: this method and target, no body announced, nothing that asks for a header of its own in the answer. */
const isPlainVerify = ({ method, url, headers }: IncomingMessage): boolean =>
  url === paths.verify &&
  method === 'GET' &&
  headers['content-length'] === undefined &&
  headers['transfer-encoding'] === undefined &&
  headers[requestIdHeader] === undefined &&
  headers.origin === undefined;

/** The accepted token's answer, or `undefined`. */
const bodyFor = ({ authentication, isRefusing }: VerifyDoorParts, request: IncomingMessage): string | undefined => {
  if (isRefusing()) return undefined;
  try {
    refuseOddHead(request);
    refuseDoubledHeaders(request);
    const token = acceptRemembered(authentication, bearerSecret(request.headers.authorization, 'token_missing'));
    return token === undefined ? undefined : JSON.stringify(verifiedBody(token));
  } catch {
    // The pipeline comes to the same step and says it in its own words.
    return undefined;
  }
};

/** Puts the door before whatever answers the requests of this server now. Call it before listeners that only watch are added. */
export const openVerifyDoor = (server: Server, parts: VerifyDoorParts): void => {
  const pipeline = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[];
  server.removeAllListeners('request');
  const worker = parts.workerName === undefined ? {} : { 'catalytic-worker': parts.workerName };
  server.on('request', (request, response) => {
    const body = isPlainVerify(request) ? bodyFor(parts, request) : undefined;
    if (body === undefined) {
      for (const answer of pipeline) answer.call(server, request, response);
      return;
    }
    countAnswer(parts.answered, 200);
    response.writeHead(200, {
      ...worker,
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  });
};
