/** Writing operations of signing keys. @module */
import type { DatabaseSync } from 'node:sqlite';
import { retiresAtMs } from '../../features/signing-keys/rules.ts';
import type { NewSigningKey, StoredSigningKey } from '../../features/signing-keys/store.ts';
import { auditAppender } from './audit-writes.ts';

/** Prepares the operations. */
export const signingKeyWrites = (database: DatabaseSync) => {
  const audit = auditAppender(database);
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
    addFirst: ({ key, by }: NewSigningKey): void => {
      const { changes } = insertFirst.run(columns(key));
      const row = { event: 'authz_admin', reason: 'signing_key_created', subject: key.kid, by } as const;
      if (changes === 1) audit.append({ ...row, atMs: key.createdAtMs });
    },
    addSuccessor: ({ key, by }: NewSigningKey): void => {
      const { token_seconds_max } = readTokenSecondsMax.get() as { token_seconds_max: number };
      insert.run(columns(key));
      retireOthers.run(retiresAtMs(key.activatesAtMs, token_seconds_max), key.kid);
      const row = { event: 'authz_admin', reason: 'signing_key_rotated', subject: key.kid, by } as const;
      audit.append({ ...row, atMs: key.createdAtMs });
    },
  };
};
