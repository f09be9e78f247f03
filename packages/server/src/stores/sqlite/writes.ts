/**
 * Every writing operation, by name, as the writer thread runs them.
 * @module
 */
import type { DatabaseSync } from 'node:sqlite';
import { accountWrites } from './account-writes.ts';
import { adminKeyWrites } from './admin-key-writes.ts';
import { auditWrites } from './audit-writes.ts';
import { deploymentWrites } from './deployment-writes.ts';
import { journalWrites } from './journal-writes.ts';
import { memberWrites } from './member-writes.ts';
import { sessionWrites } from './session-writes.ts';
import { signingKeyWrites } from './signing-key-writes.ts';
import { tenantWrites } from './tenant-writes.ts';

/** Prepares the operations on a connection. Each runs inside a transaction and may throw to undo itself alone. */
export const createWrites = (database: DatabaseSync) => {
  const touch = database.prepare('update deployment set only_row = only_row');
  return {
    ...tenantWrites(database),
    ...accountWrites(database),
    ...sessionWrites(database),
    ...journalWrites(database),
    ...memberWrites(database),
    ...signingKeyWrites(database),
    ...adminKeyWrites(database),
    ...deploymentWrites(database),
    ...auditWrites(database),
    /** Goes the way of a write and changes nothing. A full disk shows only when something is really written. */
    probe: ({ isWriting }: { isWriting: boolean }): void => {
      if (isWriting) touch.run();
    },
  };
};

type Writes = ReturnType<typeof createWrites>;

/** Name of an operation. */
export type WriteName = keyof Writes;
/** What an operation is given; plain data, because it crosses threads. */
export type WriteInput<Name extends WriteName> = Parameters<Writes[Name]>[0];
/** What it returns. */
export type WriteResult<Name extends WriteName> = ReturnType<Writes[Name]>;
