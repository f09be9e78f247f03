/**
 * Port: what concerns the deployment as a whole.
 * @module
 */
import type { Origin } from '../audit/store.ts';
import type { StoredSigningKey } from '../signing-keys/store.ts';

/** What a new history has cost. */
export interface NewHistory {
  readonly keysKilled: number;
  readonly sessionsEnded: number;
}

/** The deployment. Every engine passes `store.contract.ts`. */
export interface DeploymentStore {
  /** Number of the present history of the database: higher after a restored backup. */
  generation(): Promise<number>;
  /** Names the database and its generation: processes that name another one share nothing with this one, whatever else they share. */
  scope(): Promise<string>;
  /** Whether a server process uses the database at this moment. */
  isServed(): Promise<boolean>;
  /**
   * Begins a new history after a backup was restored, in one transaction: what was revoked since the backup is not known any more, and
   * epochs have gone back, so every signing key is killed for ever, every session ended, and a key that no backup holds signs from now on.
   */
  beginNewHistory(key: StoredSigningKey, nowMs: number, by?: Origin): Promise<NewHistory>;
  /**
   * Deletes, of the oldest `rowsMax` rows of the audit trail, those older than `sinceMs`, by the clock of the caller and by that of the database.
   * @param nowMs wall clock of the caller, milliseconds since 1970
   * @returns how many were deleted
   */
  purgeAudit(nowMs: number, sinceMs: number, rowsMax: number): Promise<number>;
}
