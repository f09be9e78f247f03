/**
 * Step: who calls? One function for each kind of access.
 * @module
 */
import type { SignedToken } from '@catalytic/guard/signature-checks';
import { CatalyticError } from '@catalytic/protocol/errors';
import {
  type CheckAccessTokenParts,
  checkAccessToken,
  genuineToken,
} from '../features/access-tokens/check-access-token.ts';
import { checkAdminKey } from '../features/admin-keys/check-admin-key.ts';
import type { AdminKey, AdminKeyStore } from '../features/admin-keys/store.ts';
import type { Access } from '../features/route.ts';
import { bearerSecret } from './bearer.ts';

/** What this step works with. */
export interface AuthenticateParts extends CheckAccessTokenParts {
  readonly adminKeys: AdminKeyStore;
}

/** Who calls, as far as the access asks. */
export type Caller = { readonly token: SignedToken } | { readonly adminKey: AdminKey } | undefined;

/** Judges the caller; returns a promise only where a store must be asked, which a check of a token never does. */
export const authenticate = (
  parts: AuthenticateParts,
  access: Access,
  authorization: string | undefined,
): Caller | Promise<Caller> => {
  switch (access.kind) {
    case 'public':
      return undefined;
    case 'bearer': {
      const token = checkAccessToken(parts, bearerSecret(authorization, 'token_missing'));
      if (typeof token === 'string') throw new CatalyticError(token);
      return { token };
    }
    case 'bearer-signing-out':
      return { token: genuineToken(parts, bearerSecret(authorization, 'token_missing')) };
    case 'admin':
      return checkAdminKey(parts.adminKeys, bearerSecret(authorization, 'admin_key_missing'), access.scope).then(
        (adminKey) => ({ adminKey }),
      );
  }
};
