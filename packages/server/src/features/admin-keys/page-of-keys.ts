/**
 * Part of use cases: a page of the keys that an administrator may see.
 * @module
 */
import type { Administrator } from '../tenants/administered-tenant.ts';
import type { KeysPage } from './store.ts';

/** Most keys in one answer. */
const pageKeys = 100;

/** A page of keys. */
export interface PageOfKeys<Key> {
  readonly keys: readonly Key[];
  /** Present if there are more. */
  readonly nextCursor?: string;
}

/**
 * The keys that an administrator may see, a bounded number at a time: all, or those of the tenant to
 * which the own key is bound.
 * @param after `nextCursor` of the page before
 */
export const pageOfKeys = async <Key extends { readonly id: string }>(
  store: { list(page: KeysPage): Promise<readonly Key[]> },
  { tenantId }: Administrator,
  after: string | undefined,
): Promise<PageOfKeys<Key>> => {
  // One row more than a page shows whether there is another page.
  const found = await store.list({ tenantId, after, rowsMax: pageKeys + 1 });
  const keys = found.slice(0, pageKeys);
  const last = keys.at(-1);
  return found.length > keys.length && last !== undefined ? { keys, nextCursor: last.id } : { keys };
};
