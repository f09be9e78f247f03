/** The journal in PostgreSQL. @module */
import type { JournalStore } from '../../features/revocation/store.ts';
import { keptRows } from '../journal-row.ts';
import type { ConnectionOptions } from './connection.ts';
import { databaseMs } from './journal-rows.ts';
import { PostgresJournalSource } from './journal-source.ts';
import type { CountRow } from './session-statements.ts';
import { lockStatement, type Run, statement, type Transactions } from './transactions.ts';

const readMax = statement('deployment_token_seconds_max', 'select token_seconds_max from deployment');
const lockOutWriters = lockStatement('journal_lock', 'journal', 'share');
const raiseMax = statement(
  'deployment_raise_token_seconds_max',
  'update deployment set token_seconds_max = greatest(token_seconds_max, $1) returning token_seconds_max',
);
const purge = statement(
  'journal_purge',
  `with bound as materialized (
     select least($1::bigint, ${databaseMs}) - $2::bigint as at
   ), newest as (
     select max(xid) as xid from (
       select xid from journal, bound where keep_until < bound.at order by keep_until desc limit ${keptRows}
     ) last
   ), old as (
     select j.id from journal j, bound, newest
      where j.keep_until < bound.at and j.xid < newest.xid
      order by j.keep_until limit $3 for update of j skip locked
   ), purged as (
     delete from journal j using old where j.id = old.id returning 1
   ) select count(*)::integer as rows from purged`,
);

/**
 * @param connection where the sources connect to
 * @param transactions whose connections are condemned when a source finds its own silent
 */
export const postgresJournal = (
  run: Run,
  connection: ConnectionOptions,
  transactions: Pick<Transactions, 'condemnSilentSince'>,
): JournalStore => ({
  openSource: () => new PostgresJournalSource(connection.url, (sinceMs) => transactions.condemnSilentSince(sinceMs)),
  raiseTokenSecondsMax: async (seconds) => {
    const [known] = await run<{ token_seconds_max: number }>('*', readMax());
    if (known !== undefined && known.token_seconds_max >= seconds) return known.token_seconds_max;
    // Waits until every entry with the shorter lifetime is committed, and holds back new entries.
    // Otherwise a session could be refreshed to the longer lifetime just before an entry that is
    // not kept for as long.
    const [raised] = await run<{ token_seconds_max: number }>('*', lockOutWriters(), raiseMax(seconds));
    return raised?.token_seconds_max ?? seconds;
  },
  purge: async ({ nowMs, sinceMs, rowsMax }) =>
    (await run<CountRow>('*', purge(nowMs, sinceMs, rowsMax)))[0]?.rows ?? 0,
});
