/**
 * Port: the deployment as a whole.
 * @module
 */
import type { Origin } from '../audit/store.ts';
import type { Purge } from '../purging/store.ts';
import type { StoredSigningKey } from '../signing-keys/store.ts';

/** A new history about to begin. */
export interface HistoryStart {
  /** The key that signs from now on, which no backup holds. */
  readonly key: StoredSigningKey;
  readonly nowMs: number;
  /** Origin of the request, for the audit trail. */
  readonly by: Origin;
}

/** What a new history has ended. */
export interface NewHistory {
  readonly keysKilled: number;
  readonly sessionsEnded: number;
}

/** The deployment. Every engine passes `store.contract.ts`. */
export interface DeploymentStore {
  /** Number of the present history of the database; higher after a restored backup. */
  generation(): Promise<number>;
  /**
   * Names the database and its generation. Processes with different names must not act on each
   * other's messages.
   */
  scope(): Promise<string>;
  /** Whether a server process uses the database now. */
  isServed(): Promise<boolean>;
  /**
   * Begins a new history after a backup was restored, in one transaction. The revocations since the
   * backup are lost, and epochs have gone back. So every signing key is killed for ever, every
   * session is ended, and a key that no backup holds signs from now on. Rows of workers go. Those of
   * guards stay and are leaving, and one more stands for guards that the backup does not know: they
   * may accept tokens until their leases end.
   */
  beginNewHistory(start: HistoryStart): Promise<NewHistory>;
  /**
   * Looks at the oldest `rowsMax` rows of the audit trail and deletes those that are as old as
   * that.
   * @returns how many were deleted
   */
  purgeAudit(purge: Purge): Promise<number>;
}
