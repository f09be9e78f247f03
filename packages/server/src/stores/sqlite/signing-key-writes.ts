/** Writing operations of signing keys. @module */
import type { DatabaseSync } from 'node:sqlite';
import { entryId } from '@catalytic/protocol/journal';
import type { Recorded } from '../../features/revocation/store.ts';
import { needsReplacement, retiresAtMs } from '../../features/signing-keys/rules.ts';
import type { NewSigningKey, SigningKeyKill, StoredSigningKey } from '../../features/signing-keys/store.ts';
import { type SigningKeyRow, toKey } from '../signing-key-row.ts';
import { auditAppender } from './audit-writes.ts';
import { journalAppender } from './journal-writes.ts';

/** Prepares the operations. */
export const signingKeyWrites = (database: DatabaseSync) => {
  const audit = auditAppender(database);
  const journal = journalAppender(database);
  const insertFirst = database.prepare(
    `insert into signing_key select :kid, :algorithm, :jwk, :box, :created, :activates, null
      where not exists (select 1 from signing_key)`,
  );
  const insert = database.prepare(
    'insert into signing_key values (:kid, :algorithm, :jwk, :box, :created, :activates, null)',
  );
  const retireOthers = database.prepare('update signing_key set retires_at = ? where retires_at is null and kid <> ?');
  const readAll = database.prepare('select * from signing_key');
  const remove = database.prepare('delete from signing_key where kid = ?');
  const findEntry = database.prepare('select 1 from journal where id = ?');
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

    kill: ({ kid, replacement, nowMs, by }: SigningKeyKill): Recorded | undefined => {
      const keys = (readAll.all() as unknown as readonly SigningKeyRow[]).map(toKey);
      const killed = keys.find((key) => key.kid === kid);
      if (killed === undefined && findEntry.get(entryId({ kind: 'key', key: kid })) === undefined) return undefined;
      if (killed !== undefined) {
        const row = { event: 'authz_admin', atMs: nowMs, by } as const;
        remove.run(kid);
        audit.append({ ...row, reason: 'signing_key_killed', subject: kid });
        const others = keys.filter((key) => key !== killed);
        if (needsReplacement(killed, others, nowMs)) {
          insert.run(columns(replacement));
          audit.append({ ...row, reason: 'signing_key_rotated', subject: replacement.kid });
        }
      }
      return journal.append({ kind: 'key', key: kid }, null);
    },
  };
};
