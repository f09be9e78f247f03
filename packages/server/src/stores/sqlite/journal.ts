/** The journal in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { JournalSource, JournalStore } from '../../features/revocation/store.ts';
import { type JournalRow, toEntry } from '../journal-row.ts';
import { readRows } from './unavailable.ts';
import type { Writer } from './writer.ts';

interface Head {
  readonly identity: string;
  readonly isMember: 0 | 1;
  readonly members: number;
}

// One statement, so that everything it says is true of one moment. The head stands first: positions begin at one.
const readStatement = `
  select 0 as pos, '' as id, '' as kind,
         json_object('identity', (select cast(generation as text) from deployment),
                     'isMember', exists (select 1 from member where id = :member and state = 'live'),
                     'members', (select count(*) from member)) as key,
         null as epoch, null as keep_until
  union all
  select pos, id, kind, key, epoch, keep_until from journal where pos > :after
  order by pos`;

/** Order of commit is order of position in SQLite, so the newest position seen says all. */
const openSource = (database: DatabaseSync, writer: Writer, assertSameFile: () => void): JournalSource<number> => {
  const statement = database.prepare(readStatement);
  return {
    register: (member) => writer.run('registerMember', { member }),
    read: async (member, cursor = 0) => {
      // Another process may write to what has the name now: only that is the record.
      assertSameFile();
      const [head, ...rows] = readRows<JournalRow & { readonly pos: number }>(statement, { member, after: cursor });
      const newest = rows.at(-1)?.pos ?? cursor;
      const { identity, isMember, members } = JSON.parse(head?.key ?? '') as Head;
      return {
        identity,
        isPrimary: true,
        isMember: isMember === 1,
        members,
        entries: rows.map(toEntry),
        cursor: newest,
        applied: String(newest),
      };
    },
    acknowledge: (member, applied) => writer.run('acknowledgeJournal', { member, applied: Number(applied) }),
    unregister: (members) => writer.run('removeMembers', { ids: members }),
    restore: (entries) => writer.run('restoreJournal', { entries }),
    close: async () => database.close(),
  };
};

/**
 * @param open opens a connection for reading
 * @param assertSameFile throws when the database has lost its name
 */
export const sqliteJournal = (open: () => DatabaseSync, writer: Writer, assertSameFile: () => void): JournalStore => ({
  openSource: () => openSource(open(), writer, assertSameFile),
  raiseTokenSecondsMax: (seconds) => writer.run('raiseTokenSecondsMax', { seconds }),
  purge: (beforeMs, rowsMax) => writer.run('purgeJournal', { beforeMs, rowsMax }),
});
