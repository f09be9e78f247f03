/** Writing operations of the deployment. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { KeyId } from '@catalytic/protocol/ids';
import type { NewHistory } from '../../features/deployment/store.ts';
import type { StoredSigningKey } from '../../features/signing-keys/store.ts';
import { journalAppender } from './journal-writes.ts';
import { signingKeyWrites } from './signing-key-writes.ts';

/** Prepares the operations. */
export const deploymentWrites = (database: DatabaseSync) => {
  const journal = journalAppender(database);
  const { addSuccessorSigningKey } = signingKeyWrites(database);
  const listKeys = database.prepare('select kid from signing_key');
  const retireKeys = database.prepare('update signing_key set retires_at = ? where kid <> ?');
  const endSessions = database.prepare(
    `update session set ended_at = ?, end_reason = 'logout_all' where ended_at is null`,
  );
  const removeMembers = database.prepare('delete from member');
  const raiseGeneration = database.prepare('update deployment set generation = generation + 1');
  // In order of position, which is the order of time.
  const purgeAudit = database.prepare(
    'delete from audit where pos in (select pos from audit where at < ? order by pos limit ?)',
  );
  return {
    purgeAudit: ({ beforeMs, rowsMax }: { beforeMs: number; rowsMax: number }): number =>
      Number(purgeAudit.run(beforeMs, rowsMax).changes),

    beginNewHistory: ({ key, nowMs }: { key: StoredSigningKey; nowMs: number }): NewHistory => {
      const killed = listKeys.all() as unknown as readonly { readonly kid: KeyId }[];
      for (const { kid } of killed) journal.append({ kind: 'key', key: kid });
      addSuccessorSigningKey(key);
      retireKeys.run(nowMs, key.kid);
      const { changes } = endSessions.run(nowMs);
      removeMembers.run();
      raiseGeneration.run();
      return { keysKilled: killed.length, sessionsEnded: Number(changes) };
    },
  };
};
