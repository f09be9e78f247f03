/**
 * Use case: whose token is this?
 * @module
 */
import type { SignedToken } from '@catalytic/guard/signature-checks';
import { CatalyticError } from '@catalytic/protocol/errors';
import type { AccountStore } from './store.ts';

/**
 * The account as `GET /auth/me` shows it.
 * @throws {CatalyticError} `token_revoked` when the account is gone
 */
export const describeAccount = async (
  accounts: AccountStore,
  { claims }: SignedToken,
): Promise<Readonly<Record<string, unknown>>> => {
  const account = await accounts.find(claims.tid, claims.sub);
  if (account === undefined) throw new CatalyticError('token_revoked');
  return {
    account_id: account.id,
    email: account.email,
    tenant_id: account.tenantId,
    session_id: claims.sid,
    roles: account.roles,
    created_at: new Date(account.createdAtMs).toISOString(),
  };
};
