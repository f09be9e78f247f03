/**
 * Use cases: which admin keys are there, and revoke one of them.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import type { Origin } from '../audit/store.ts';
import type { Administrator } from '../tenants/administered-tenant.ts';
import type { AdminKeyStore, ListedAdminKey } from './store.ts';

/** What these use cases work with. */
export interface AdministerAdminKeysParts {
  readonly adminKeys: AdminKeyStore;
  readonly nowMs: () => number;
}

/** Most keys in one answer. */
const pageKeys = 100;

/** A page of admin keys. */
export interface AdminKeyPage {
  readonly keys: readonly ListedAdminKey[];
  /** Present if there are more. */
  readonly nextCursor?: string;
}

/**
 * The admin keys that an administrator may see, a bounded number at a time: all, or those of the
 * tenant to which the own key is bound.
 * @param after `nextCursor` of the page before
 */
export const listAdminKeys = async (
  { adminKeys }: Pick<AdministerAdminKeysParts, 'adminKeys'>,
  { tenantId }: Administrator,
  after: string | undefined,
): Promise<AdminKeyPage> => {
  // One row more than a page shows whether there is another page.
  const found = await adminKeys.list({ tenantId, after, rowsMax: pageKeys + 1 });
  const keys = found.slice(0, pageKeys);
  const last = keys.at(-1);
  return found.length > keys.length && last !== undefined ? { keys, nextCursor: last.id } : { keys };
};

/**
 * Revokes an admin key, at once and for every process. A key may revoke itself.
 * @throws {CatalyticError} `admin_key_not_found` also for a key that the administrator may not see
 */
export const revokeAdminKey = async (
  { adminKeys, nowMs }: AdministerAdminKeysParts,
  { tenantId }: Administrator,
  id: string,
  by: Origin,
): Promise<void> => {
  if (!(await adminKeys.revoke({ id, tenantId, nowMs: nowMs(), by }))) throw new CatalyticError('admin_key_not_found');
};

/** The key in the words of the API and of the command line: never anything of its secret. */
export const adminKeyAnswer = (key: ListedAdminKey): Readonly<Record<string, unknown>> => ({
  id: key.id,
  description: key.description,
  scopes: key.scopes,
  tenant_id: key.tenantId,
  created_at: time(key.createdAtMs),
  expires_at: time(key.expiresAtMs),
  last_used_at: time(key.lastUsedAtMs),
});

const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
