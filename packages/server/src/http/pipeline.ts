/**
 * The HTTP pipeline: every stage that a request passes, in order. `server.ts` and `mount-route.ts`
 * mount the stages from this list, and the API's description (`openapi/refusals.ts`) takes from it
 * which codes a route may refuse with.
 *
 * The groups are the moments at which stages act, one after the other. Within a group the order is
 * that of the list.
 * @module
 */
import type { ErrorCode } from '@catalytic/protocol/errors';
import type { Route } from '../features/route.ts';
import { type WatchParts, watch } from './answers-under-way.ts';
import { type AuthenticationParts, authentication } from './authenticate.ts';
import { body, content } from './body.ts';
import { type ConnectParts, connect } from './connections.ts';
import { type CrossOriginParts, crossOrigin } from './cross-origin.ts';
import { type DrainParts, drain, farewell } from './drain.ts';
import { type GatewayParts, gatewayRequests } from './gateway-requests.ts';
import { type ParseParts, parse } from './parser-refusals.ts';
import type { ConnectionStage, RequestStage, RouteStage, Stage } from './stage.ts';
import { strictHeaders } from './strict-headers.ts';
import { type FastPathParts, verifyFastPath } from './verify-fast-path.ts';

/** Dependencies of all stages. */
export type PipelineParts = ConnectParts &
  ParseParts &
  WatchParts &
  DrainParts &
  GatewayParts &
  CrossOriginParts &
  FastPathParts &
  AuthenticationParts;

interface Pipeline {
  readonly connection: readonly ConnectionStage<PipelineParts>[];
  readonly request: readonly RequestStage<PipelineParts>[];
  readonly route: readonly RouteStage<PipelineParts>[];
  readonly body: readonly RouteStage<PipelineParts>[];
  readonly answer: readonly Stage[];
}

/** The stages. */
export const pipeline: Pipeline = {
  // These run before there is a request. With TLS, the handshake comes between the two.
  connection: [connect, parse],

  // Every request, before the framework looks for its route. The fast path answers what the stages
  // below would answer, and never refuses.
  request: [watch, farewell, gatewayRequests, crossOrigin, verifyFastPath],

  // The route is known, and nothing of the body has been read.
  route: [
    drain,
    strictHeaders,
    authentication,
    content,
    // limit: the place for a limit on requests (429 with `Retry-After`). It knows who calls, and it
    // refuses before a body costs anything. The fast path answers before it: a limit that must
    // count verifications needs a look there too.
  ],

  // The framework has read the body as the route's format says.
  body: [body],

  // Mounted by `mount-route.ts`.
  answer: [
    // Judges types and unknown fields of body, query and path. Nothing is coerced or removed.
    { name: 'schema', refuses: () => ['body_invalid'] },
    { name: 'use case', refuses: ({ refuses = [] }) => [...refuses, 'internal_error'] },
    // Counts the answer, and sends only the fields that the answer's schema names.
    { name: 'finish' },
  ],
};

/** The stages in one list. */
export const stages: readonly Stage[] = Object.values(pipeline).flat();

/** The codes that any stage may refuse a request for this route with; a code may come twice. */
export const refusalsOf = (route: Route): readonly ErrorCode[] =>
  stages.flatMap(({ refuses }) => refuses?.(route) ?? []);
