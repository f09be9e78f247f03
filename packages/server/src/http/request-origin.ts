/**
 * Who asks, from where: what the audit trail says of a request.
 * @module
 */
import type { FastifyRequest } from 'fastify';
import type { Origin } from '../features/audit/store.ts';

/** An IPv4 peer of a socket that takes both families. */
const mappedPrefix = '::ffff:';

/** The peer of the connection, `null` once it is gone. A proxy in front of the service is the peer; what it says of its own peer is not read. */
export const clientAddress = ({ socket }: FastifyRequest): string | null => {
  const { remoteAddress = null } = socket;
  return remoteAddress?.startsWith(mappedPrefix) ? remoteAddress.slice(mappedPrefix.length) : remoteAddress;
};

/** The origin of what this request does. */
export const requestOrigin = (request: FastifyRequest): Origin => {
  const { caller } = request;
  return {
    actor: caller !== undefined && 'adminKey' in caller ? `key:${caller.adminKey.id}` : 'self',
    address: clientAddress(request),
    requestId: request.id,
  };
};
