/** Signing keys in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { KeyId } from '@catalytic/protocol/ids';
import type { SigningKeyStore, StoredSigningKey } from '../../features/signing-keys/store.ts';
import { readRows } from './unavailable.ts';
import type { Writer } from './writer.ts';

interface SigningKeyRow {
  readonly kid: KeyId;
  readonly algorithm: string;
  readonly public_jwk: string;
  readonly private_box: Uint8Array;
  readonly created_at: number;
  readonly activates_at: number;
  readonly retires_at: number | null;
}

const toKey = (row: SigningKeyRow): StoredSigningKey => ({
  kid: row.kid,
  algorithm: row.algorithm,
  publicJwk: row.public_jwk,
  privateBox: row.private_box,
  createdAtMs: row.created_at,
  activatesAtMs: row.activates_at,
  retiresAtMs: row.retires_at,
});

/** @param reader connection for reading */
export const sqliteSigningKeys = (reader: DatabaseSync, writer: Writer): SigningKeyStore => {
  const all = reader.prepare(
    'select kid, algorithm, public_jwk, private_box, created_at, activates_at, retires_at from signing_key order by activates_at',
  );
  return {
    list: async () => readRows<SigningKeyRow>(all).map(toKey),
    addFirst: (key) => writer.run('addFirstSigningKey', key),
    addSuccessor: (key) => writer.run('addSuccessorSigningKey', key),
  };
};
