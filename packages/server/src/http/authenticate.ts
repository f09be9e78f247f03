/**
 * Stage: who calls? One case for each kind of access.
 * @module
 */
import type { SignedToken } from '@catalytic/guard/signature-checks';
import { CatalyticError, type ErrorCode, errorTable } from '@catalytic/protocol/errors';
import type { FastifyRequest } from 'fastify';
import {
  checkOnceCurrent,
  genuineToken,
  type PatientCheckParts,
} from '../features/access-tokens/check-access-token.ts';
import { type CheckAdminKeyParts, checkAdminKey } from '../features/admin-keys/check-admin-key.ts';
import type { KnownAdminKey } from '../features/admin-keys/store.ts';
import { type CheckGuardKeyParts, checkGuardKey } from '../features/guard-keys/check-guard-key.ts';
import type { KnownGuardKey } from '../features/guard-keys/store.ts';
import type { Access } from '../features/route.ts';
import { bearerSecret } from './bearer.ts';
import { requestOrigin } from './request-origin.ts';
import type { RouteStage } from './stage.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by this stage. */
    caller: Caller;
  }
}

/** Dependencies of the judgement of callers. */
export interface AuthenticateParts extends PatientCheckParts, CheckAdminKeyParts, CheckGuardKeyParts {}

/** The caller, as far as the route's access requires. */
export type Caller =
  | { readonly token: SignedToken }
  | { readonly genuineToken: SignedToken }
  | { readonly adminKey: KnownAdminKey }
  | { readonly guardKey: KnownGuardKey }
  | { readonly authorization: string | undefined }
  | undefined;

const accepted = (token: SignedToken | ErrorCode): Caller => {
  if (typeof token !== 'string') return { token };
  throw new CatalyticError(token, token === 'revocation_state_unavailable' ? { retryAfterSeconds: 1 } : {});
};

/**
 * Judges the caller. Returns a promise only where a store must be asked, which a check of a token
 * never does, or where this process must first read the journal again.
 */
const callerOf = (parts: AuthenticateParts, access: Access, request: FastifyRequest): Caller | Promise<Caller> => {
  const { authorization } = request.headers;
  switch (access.kind) {
    case 'public':
      return undefined;
    case 'client':
      return { authorization };
    case 'bearer': {
      const token = checkOnceCurrent(parts, bearerSecret(authorization, 'token_missing'));
      return token instanceof Promise ? token.then(accepted) : accepted(token);
    }
    case 'bearer-signing-out':
      return { token: genuineToken(parts, bearerSecret(authorization, 'token_missing')) };
    case 'signing-out':
      if (authorization === undefined) return undefined;
      return { genuineToken: genuineToken(parts, bearerSecret(authorization, 'token_missing'), 'of any age') };
    case 'admin':
      return checkAdminKey(
        parts,
        bearerSecret(authorization, 'admin_key_missing'),
        access.scope,
        requestOrigin(request),
      ).then((adminKey) => ({ adminKey }));
    case 'guard': {
      const secret = bearerSecret(authorization, 'guard_key_missing');
      const guardKey = checkGuardKey(parts, secret, () => requestOrigin(request));
      return guardKey instanceof Promise ? guardKey.then((found) => ({ guardKey: found })) : { guardKey };
    }
  }
};

const tokenCodes = (Object.keys(errorTable) as readonly ErrorCode[]).filter((code) => code.startsWith('token_'));

/** Codes of the tokens that sign out: these may be revoked. */
const genuineCodes = tokenCodes.filter((code) => code !== 'token_revoked' && code !== 'token_outdated');

const refusalsOf = ({ kind }: Access): readonly ErrorCode[] => {
  switch (kind) {
    // The use case judges a client.
    case 'public':
    case 'client':
      return [];
    case 'bearer':
      return [...tokenCodes, 'revocation_state_unavailable'];
    case 'bearer-signing-out':
      return genuineCodes;
    case 'signing-out':
      return genuineCodes.filter((code) => code !== 'token_expired');
    case 'admin':
      return [
        'admin_key_missing',
        'admin_key_invalid',
        'admin_key_expired',
        'admin_scope_insufficient',
        'store_unavailable',
      ];
    case 'guard':
      return ['guard_key_missing', 'guard_key_invalid', 'guard_key_expired', 'store_unavailable'];
  }
};

/** Dependencies of the stage. */
export interface AuthenticationParts {
  readonly authentication: AuthenticateParts;
}

/** Sets `request.caller`, as the route's access asks. */
export const authentication: RouteStage<AuthenticationParts> = {
  name: 'authenticate',
  refuses: ({ access }) => refusalsOf(access),
  mount:
    ({ authentication: parts }, { access }) =>
    (request) => {
      const caller = callerOf(parts, access, request);
      if (!(caller instanceof Promise)) {
        request.caller = caller;
        return;
      }
      return caller.then((found) => {
        request.caller = found;
      });
    },
};
