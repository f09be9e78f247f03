/**
 * The origin of a request for the audit trail: actor, address and id.
 * @module
 */
import type { FastifyRequest } from 'fastify';
import type { Origin } from '../features/audit/store.ts';

/** The origin of everything that this request changes. */
export const requestOrigin = ({ caller, callerAddress, id }: FastifyRequest): Origin => ({
  actor: caller !== undefined && 'adminKey' in caller ? `key:${caller.adminKey.id}` : 'self',
  address: callerAddress,
  requestId: id,
});
