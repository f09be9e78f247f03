/**
 * What the lanes and the hashing process say to each other.
 * @module
 */

/** A hash to make (`storedHash` absent) or to check. */
export interface LaneRequest {
  readonly id: number;
  readonly password: string;
  readonly storedHash?: string;
}

/** The new hash, or whether the stored one is of this password. */
export type LaneReply =
  | { readonly id: number; readonly result: string | boolean }
  | { readonly id: number; readonly error: string };

/** Sent to the hashing process and sent back: it runs, however long its hashes take. */
export const ping = 'ping';
