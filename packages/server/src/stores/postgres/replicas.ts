/**
 * Reads that may be a little old: asked of replicas, so that the primary has more room for what must not be old.
 * @module
 */
import type { AccountStore } from '../../features/accounts/store.ts';

/**
 * Finds accounts on the replicas in turn. The primary is asked when a replica fails, and when it does not have the row: an account made a
 * moment ago may not have arrived.
 * @param primary what is asked then
 * @param replicas the same question to each replica
 */
export const findOnReplicas = (
  primary: AccountStore['find'],
  replicas: readonly AccountStore['find'][],
): AccountStore['find'] => {
  let turn = 0;
  return async (tenantId, id) => {
    const replica = replicas[turn++ % replicas.length];
    try {
      const account = await replica?.(tenantId, id);
      if (account !== undefined) return account;
    } catch {
      // Whatever is wrong with a replica, the primary decides; an outage is told by its circuit breaker.
    }
    return primary(tenantId, id);
  };
};
