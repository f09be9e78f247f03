import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Engine } from '../../features/engine.contract.ts';
import { everyContract } from '../../features/every.contract.ts';
import { databasePath } from './database.ts';
import { openSqliteStores } from './stores.ts';

const open = async (): Promise<Engine> => {
  const folder = mkdtempSync(join(tmpdir(), 'catalytic-test-'));
  const stores = openSqliteStores(folder, (error) => {
    throw error;
  });
  const behind = new DatabaseSync(databasePath(folder), { timeout: 5000 });
  return {
    ...stores,
    force: {
      accountStatus: async (id, status) =>
        void behind.prepare('update account set status = ? where id = ?').run(status, id),
      tenantStatus: async (id, status) =>
        void behind.prepare('update tenant set status = ? where id = ?').run(status, id),
      olderMember: async (id) =>
        void behind.prepare("insert into member (id, state, lease_ms) values (?, 'live', 1000)").run(id),
      auditEvents: async (sessionId) =>
        behind
          .prepare('select event from audit where session_id = ? order by pos')
          .all(sessionId)
          .map(({ event }) => String(event)),
    },
    close: async () => {
      behind.close();
      await stores.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

everyContract('SQLite', open);
