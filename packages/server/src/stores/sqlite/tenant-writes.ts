/** Writing operations of tenants. @module */
import { randomUUIDv7 } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

/** Prepares the operations. */
export const tenantWrites = (database: DatabaseSync) => {
  const insert = database.prepare(
    `insert into tenant (id, name, status, created_at) values (?, ?, 'active', ?) on conflict (name) do nothing`,
  );
  return {
    ensureTenant: ({ name, nowMs }: { name: string; nowMs: number }): void => {
      insert.run(randomUUIDv7(), name, nowMs);
    },
  };
};
