/**
 * Reads that may be slightly stale. They go to replicas, so that the primary has more capacity for
 * the others.
 * @module
 */
import type { AccountStore } from '../../features/accounts/store.ts';

/**
 * Finds accounts on the replicas in turn. The primary is asked when a replica fails or does not
 * have the row, because a new account may not have arrived there yet.
 * @param primary the query on the primary
 * @param replicas the same query on each replica
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
      // After any failure of a replica the primary decides. The circuit breaker of the replica
      // reports an outage.
    }
    return primary(tenantId, id);
  };
};
