/**
 * Stage: takes what a gateway asks on behalf of its clients for `GET /auth/gateway`. Some gateways
 * ask with the method, the path, the query and the length of the body of their client (Envoy's
 * `ext_authz`), and none of it says anything about the token.
 * @module
 */
import type { Socket } from 'node:net';
import { announcesBody } from '@catalytic/guard/announces-body';
import { paths } from '@catalytic/protocol/paths';
import type { Route } from '../features/route.ts';
import { closeGently } from './close-gently.ts';
import type { RequestStage } from './stage.ts';

/** Dependencies of the stage. */
export interface GatewayParts {
  readonly routes: readonly Route[];
}

const below = `${paths.gateway}/`;

/** What a page or an upload would mean to the stages behind, and does not mean here. */
const meaningless = ['origin', 'content-type', 'content-length', 'transfer-encoding'];

/**
 * Node closes a connection with its last answer, and the system resets it if bytes of a body have
 * not been read: the reset can overtake the answer.
 */
const closeAfterAnswer = (socket: Socket): void => {
  socket.destroySoon = () => closeGently(socket);
};

/**
 * Mounted where the path is a route. A query of the path itself is left for the schema to refuse:
 * somebody has written a requirement there that nothing would check.
 */
export const gatewayRequests: RequestStage<GatewayParts> = {
  name: 'gateway requests',
  mount: (_server, { routes }) => {
    if (!routes.some(({ path }) => path === paths.gateway)) return undefined;
    return (request, response) => {
      const { url = '', headers, socket } = request;
      const isBelow = url.startsWith(below);
      if (!isBelow && url !== paths.gateway && !url.startsWith(`${paths.gateway}?`)) return false;
      if (announcesBody(request)) {
        // The gateway may have announced a body that it does not send: the next request on the
        // connection would be taken for it.
        response.setHeader('connection', 'close');
        closeAfterAnswer(socket);
      }
      for (const name of meaningless) delete headers[name];
      request.method = 'GET';
      if (isBelow) request.url = paths.gateway;
      return false;
    };
  },
};
