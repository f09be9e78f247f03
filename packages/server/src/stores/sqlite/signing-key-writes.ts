/** Writing operations of signing keys. @module */
import type { DatabaseSync } from 'node:sqlite';
import { keepUntilMs } from '@catalytic/protocol/journal';
import type { StoredSigningKey } from '../../features/signing-keys/store.ts';

/** Prepares the operations. */
export const signingKeyWrites = (database: DatabaseSync) => {
  const insertFirst = database.prepare(
    `insert into signing_key select :kid, :algorithm, :jwk, :box, :created, :activates, null
      where not exists (select 1 from signing_key)`,
  );
  const insert = database.prepare(
    'insert into signing_key values (:kid, :algorithm, :jwk, :box, :created, :activates, null)',
  );
  const retireOthers = database.prepare('update signing_key set retires_at = ? where retires_at is null and kid <> ?');
  const readTokenSecondsMax = database.prepare('select token_seconds_max from deployment');

  const columns = (key: StoredSigningKey) => ({
    kid: key.kid,
    algorithm: key.algorithm,
    jwk: key.publicJwk,
    box: key.privateBox,
    created: key.createdAtMs,
    activates: key.activatesAtMs,
  });

  return {
    addFirstSigningKey: (key: StoredSigningKey): void => {
      insertFirst.run(columns(key));
    },
    addSuccessorSigningKey: (key: StoredSigningKey): void => {
      const { token_seconds_max } = readTokenSecondsMax.get() as { token_seconds_max: number };
      insert.run(columns(key));
      // The old key signs until its successor is active, and its last token expires no later than a journal entry of that moment.
      retireOthers.run(keepUntilMs(key.activatesAtMs, token_seconds_max), key.kid);
    },
  };
};
