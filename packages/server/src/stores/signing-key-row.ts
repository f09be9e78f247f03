/**
 * A row of the signing keys, as every engine stores it.
 * @module
 */
import type { KeyId } from '@catalytic/protocol/ids';
import type { StoredSigningKey } from '../features/signing-keys/store.ts';

/** Its columns. */
export interface SigningKeyRow {
  readonly kid: KeyId;
  readonly algorithm: string;
  readonly public_jwk: string;
  readonly private_box: Uint8Array;
  readonly created_at: number;
  readonly activates_at: number;
  readonly retires_at: number | null;
}

/** The key in a row. */
export const toKey = (row: SigningKeyRow): StoredSigningKey => ({
  kid: row.kid,
  algorithm: row.algorithm,
  publicJwk: row.public_jwk,
  privateBox: row.private_box,
  createdAtMs: row.created_at,
  activatesAtMs: row.activates_at,
  retiresAtMs: row.retires_at,
});
