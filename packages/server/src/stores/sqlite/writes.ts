/**
 * Every writing operation, by its port and its name there, as the writer thread runs them.
 * @module
 */
import type { DatabaseSync } from 'node:sqlite';
import { accountWrites } from './account-writes.ts';
import { adminKeyWrites } from './admin-key-writes.ts';
import { auditWrites } from './audit-writes.ts';
import { deploymentWrites } from './deployment-writes.ts';
import { guardKeyWrites } from './guard-key-writes.ts';
import { guardWrites } from './guard-writes.ts';
import { journalWrites } from './journal-writes.ts';
import { memberWrites } from './member-writes.ts';
import { sessionWrites } from './session-writes.ts';
import { signingKeyWrites } from './signing-key-writes.ts';
import { tenantWrites } from './tenant-writes.ts';

const databaseWrites = (database: DatabaseSync) => {
  const touch = database.prepare('update deployment set only_row = only_row');
  return {
    /**
     * Takes the path of a write and changes nothing. A full disk shows only when something is
     * really written.
     */
    probe: ({ isWriting }: { isWriting: boolean }): void => {
      if (isWriting) touch.run();
    },
  };
};

/**
 * Prepares the operations on a connection. Each runs inside a transaction and may throw to undo
 * itself alone.
 */
export const createWrites = (database: DatabaseSync) => ({
  tenants: tenantWrites(database),
  accounts: accountWrites(database),
  sessions: sessionWrites(database),
  journal: journalWrites(database),
  members: memberWrites(database),
  guards: guardWrites(database),
  signingKeys: signingKeyWrites(database),
  adminKeys: adminKeyWrites(database),
  guardKeys: guardKeyWrites(database),
  deployment: deploymentWrites(database),
  audit: auditWrites(database),
  database: databaseWrites(database),
});

type Writes = ReturnType<typeof createWrites>;

/** A port, or the database itself. */
export type WritePort = keyof Writes;
/** An operation of a port. */
export type WriteName<Port extends WritePort> = keyof Writes[Port] & string;
/** What an operation is given; plain data, because it crosses threads. */
export type WriteInput<Port extends WritePort, Name extends WriteName<Port>> = Writes[Port][Name] extends (
  input: infer Input,
) => unknown
  ? Input
  : never;
/** What it returns. */
export type WriteResult<Port extends WritePort, Name extends WriteName<Port>> = Writes[Port][Name] extends (
  input: never,
) => infer Result
  ? Result
  : never;

/** The operations by the name under which they travel: `sessions.open`. */
export const byFullName = (writes: Writes): ReadonlyMap<string, (input: never) => unknown> =>
  new Map(
    Object.entries(writes).flatMap(([port, operations]) =>
      Object.entries(operations).map(([name, operation]) => [`${port}.${name}`, operation] as const),
    ),
  );
