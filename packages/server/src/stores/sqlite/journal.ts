/** The journal in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { LiveGuard, PlacedEntry } from '@catalytic/guard/journal-source';
import type { JournalId, TenantId } from '@catalytic/protocol/ids';
import type { JournalSource, JournalStore } from '../../features/revocation/store.ts';
import { type JournalRow, toEntry } from '../journal-row.ts';
import { readRows } from './unavailable.ts';
import type { Writer } from './writer.ts';

/** Where the next read begins. It is valid in one history of the database only. */
export interface SqliteCursor {
  readonly pos: number;
  /** The entry that stands there; `null` before the first. */
  readonly id: JournalId | null;
}

interface Head {
  readonly identity: string;
  readonly isContinued: 0 | 1;
  readonly isMember: 0 | 1;
  readonly members: number;
  readonly guards: readonly LiveGuard[];
  readonly guardKeysRevision: number;
}

/** A row with its position. */
export type PlacedRow = JournalRow & { readonly pos: number; readonly tenant_id: TenantId | null };

/** The entry in a row, where it stands. */
export const toPlacedEntry = (row: PlacedRow): PlacedEntry => ({
  ...toEntry(row),
  place: BigInt(row.pos),
  tenantId: row.tenant_id,
});

// One statement, so that all of it shows one moment. The head comes first: positions begin at one.
const readStatement = `
  select 0 as pos, '' as id, '' as kind,
         json_object('identity', (select history from deployment),
                     'isContinued', :after = 0 or exists (select 1 from journal where pos = :after and id = :id),
                     'isMember', exists (select 1 from member where id = :member and state = 'live'),
                     'members', (select count(*) from member where kind is not 'guard'),
                     'guards', (select json_group_array(json_object('id', id, 'keyId', key, 'leaseMs', lease_ms))
                                  from member where kind = 'guard' and state = 'live'),
                     'guardKeysRevision', (select guard_keys_revision from deployment)) as key,
         null as epoch, null as keep_until, null as keeps_sessions, null as tenant_id
  union all
  select pos, id, kind, key, epoch, keep_until, keeps_sessions, tenant_id from journal where pos > :after
  order by pos`;

/**
 * In SQLite the order of positions is the order of commits, so the newest position that was read is
 * a complete cursor.
 */
const openSource = (
  database: DatabaseSync,
  writer: Writer,
  assertSameFile: () => void,
): JournalSource<SqliteCursor> => {
  const statement = database.prepare(readStatement);
  const [journal, members] = [writer.of('journal'), writer.of('members')];
  const [register, acknowledge, acknowledgeFor] = [
    members('register'),
    members('acknowledge'),
    members('acknowledgeFor'),
  ];
  return {
    register: (member, leaseMs) => register({ member, leaseMs }),
    read: async (member, { pos, id } = { pos: 0, id: null }) => {
      // Another process may write to a file that has replaced this one, and only that file is the
      // record.
      assertSameFile();
      const [head, ...rows] = readRows<PlacedRow>(statement, { member, after: pos, id });
      const last = rows.at(-1);
      const cursor = last === undefined ? { pos, id } : { pos: last.pos, id: last.id };
      const { identity, isContinued, isMember, ...shown } = JSON.parse(head?.key ?? '') as Head;
      return {
        identity,
        isContinued: isContinued === 1,
        // The clock of the database is that of this machine.
        databaseMs: Date.now(),
        isPrimary: true,
        isMember: isMember === 1,
        members: shown.members,
        guards: shown.guards,
        guardKeysRevision: shown.guardKeysRevision,
        entries: rows.map(toPlacedEntry),
        coverage: { history: identity, upTo: BigInt(cursor.pos), id: cursor.id, except: [] },
        cursor,
        applied: `${cursor.pos} ${cursor.id ?? ''}`,
      };
    },
    acknowledge: (member, applied) => {
      const [pos, id = ''] = applied.split(' ');
      return acknowledge({ member, pos: Number(pos), id });
    },
    acknowledgeFor: (guards) =>
      acknowledgeFor(
        [...guards].map(([guard, { history, upTo, id }]) => ({ guard, history, pos: Number(upTo), id: id ?? '' })),
      ),
    renameHistory: journal('renameHistory'),
    unregister: members('remove'),
    restore: journal('restore'),
    close: async () => database.close(),
  };
};

/**
 * @param open opens a connection for reading
 * @param assertSameFile throws when the database file was replaced or deleted
 */
export const sqliteJournal = (open: () => DatabaseSync, writer: Writer, assertSameFile: () => void): JournalStore => {
  const write = writer.of('journal');
  return {
    openSource: () => openSource(open(), writer, assertSameFile),
    raiseTokenSecondsMax: write('raiseTokenSecondsMax'),
    purge: write('purge'),
  };
};
