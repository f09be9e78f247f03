/**
 * Step: who calls? One function for each kind of access.
 * @module
 */
import type { JournalReader } from '@catalytic/guard/journal-reader';
import type { SignedToken } from '@catalytic/guard/signature-checks';
import { CatalyticError, type ErrorCode } from '@catalytic/protocol/errors';
import type { FastifyRequest } from 'fastify';
import {
  type CheckAccessTokenParts,
  checkAccessToken,
  genuineToken,
} from '../features/access-tokens/check-access-token.ts';
import { type CheckAdminKeyParts, checkAdminKey } from '../features/admin-keys/check-admin-key.ts';
import type { KnownAdminKey } from '../features/admin-keys/store.ts';
import type { Access } from '../features/route.ts';
import { bearerSecret } from './bearer.ts';
import { requestOrigin } from './request-origin.ts';

/** What this step works with. */
export interface AuthenticateParts extends CheckAccessTokenParts, CheckAdminKeyParts {
  readonly currency: Pick<JournalReader, 'isCurrent' | 'untilCurrent'>;
}

/** Who calls, as far as the access asks. */
export type Caller = { readonly token: SignedToken } | { readonly adminKey: KnownAdminKey } | undefined;

/** How long a request waits for a process that is not current to become so again. */
const currencyWaitMs = 250;

const accepted = (token: SignedToken | ErrorCode): Caller => {
  if (typeof token !== 'string') return { token };
  throw new CatalyticError(token, token === 'revocation_state_unavailable' ? { retryAfterSeconds: 1 } : {});
};

/**
 * Judges the caller; returns a promise only where a store must be asked, which a check of a token never does, or where this process must
 * first hear from the journal again.
 */
export const authenticate = (
  parts: AuthenticateParts,
  access: Access,
  request: FastifyRequest,
): Caller | Promise<Caller> => {
  const { authorization } = request.headers;
  switch (access.kind) {
    case 'public':
      return undefined;
    case 'bearer': {
      const text = bearerSecret(authorization, 'token_missing');
      const token = checkAccessToken(parts, text);
      if (token !== 'revocation_state_unavailable') return accepted(token);
      // Paused or starved for a moment: one read of the journal, shared by all who wait, is enough.
      return parts.currency.untilCurrent(currencyWaitMs).then(() => accepted(checkAccessToken(parts, text)));
    }
    case 'bearer-signing-out':
      return { token: genuineToken(parts, bearerSecret(authorization, 'token_missing')) };
    case 'admin':
      return checkAdminKey(
        parts,
        bearerSecret(authorization, 'admin_key_missing'),
        access.scope,
        requestOrigin(request),
      ).then((adminKey) => ({ adminKey }));
  }
};
