/**
 * Use case part: an account as administrators see it.
 * @module
 */
import type { Account } from './store.ts';

/** The account in the words of the API: never anything of its password. */
export const accountAnswer = (account: Account): Readonly<Record<string, unknown>> => ({
  id: account.id,
  email: account.email,
  tenant_id: account.tenantId,
  status: account.status,
  roles: account.roles,
  created_at: new Date(account.createdAtMs).toISOString(),
});
