/** Signing keys in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { SigningKeyStore } from '../../features/signing-keys/store.ts';
import { type SigningKeyRow, toKey } from '../signing-key-row.ts';
import { readRows } from './unavailable.ts';
import type { Writer } from './writer.ts';

/** @param reader connection for reading */
export const sqliteSigningKeys = (reader: DatabaseSync, writer: Writer): SigningKeyStore => {
  const write = writer.of('signingKeys');
  const all = reader.prepare(
    'select kid, algorithm, public_jwk, private_box, created_at, activates_at, retires_at from signing_key order by activates_at',
  );
  return {
    list: async () => readRows<SigningKeyRow>(all).map(toKey),
    addFirst: write('addFirst'),
    addSuccessor: write('addSuccessor'),
    kill: write('kill'),
  };
};
