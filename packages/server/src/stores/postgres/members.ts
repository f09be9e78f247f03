/** Members in PostgreSQL. @module */
import { marksWithinMs } from '../../features/guard-keys/rules.ts';
import type { Member, MemberStore } from '../../features/revocation/store.ts';
import { databaseMs, placeIn } from './journal-rows.ts';
import { idOfHash } from './key-rows.ts';
import { type Run, statement, type Transactions } from './transactions.ts';
import { unavailable } from './unavailable.ts';

// At least one row, so that a standby is recognised even without members.
const all = statement(
  'member_all',
  `select m.id, m.state, m.lease_ms as "leaseMs", m.applied, m.applied_history as history,
          coalesce(m.kind, 'worker') as kind, m.seen, pg_is_in_recovery() as "isStandby"
     from (select) one left join member m on true`,
);
// Locked first, so that of two that mark the same guard one counts it. A row that is marked already is
// written again: the wait counts from this commit. `marksAfter` of the rules.
const markLeaving = statement(
  'member_mark_leaving',
  `with live as (
     select key from member
      where id = any($1) and kind = 'guard' and state = 'live' order by id for update
   ), keys as materialized (
     select array_agg(distinct key) as found from live
   ), marked as (
     update member set state = 'leaving' from keys where id = any($1)
   )
   update guard_key
      set marks = case when marked_at > ${databaseMs} - ${marksWithinMs} then marks + 1 else 1 end,
          marked_at = ${databaseMs}
     from keys where ${idOfHash} = any(keys.found)`,
);
const remove = statement('member_remove', 'delete from member where id = any($1)');

/**
 * Whether a snapshot shows what a committed transaction has written: `pg_visible_in_snapshot`,
 * without asking the server.
 * @param snapshot as `pg_snapshot` is written: `xmin:xmax:in progress,…`
 */
export const isVisible = (snapshot: string, xid: string): boolean => {
  const [xmin = '', xmax = '', inProgress = ''] = snapshot.split(':');
  const id = BigInt(xid);
  return id < BigInt(xmin) || (id < BigInt(xmax) && !inProgress.split(',').includes(xid));
};

/**
 * Whether a snapshot shows an entry of the same history. A snapshot of the version before names no
 * history and counts for any.
 */
const covers = (applied: string, position: string): boolean => {
  const [[history = '', snapshot = ''], [written = '', xid = '']] = [applied.split(' '), position.split(' ')];
  return (history === '' || history === written) && isVisible(snapshot, xid);
};

type Row = { readonly [Field in keyof Member]: Member[Field] | null } & {
  readonly history: string | null;
  readonly isStandby: boolean;
};

/**
 * @param transactions not behind the circuit breaker, because callers that wait for members try
 *   again anyway
 */
export const postgresMembers = ({ run, read }: Pick<Transactions, 'read'> & { readonly run: Run }): MemberStore => ({
  list: async () => {
    // Called for nearly every revocation: a single statement costs half as much as a transaction.
    const rows = await read<Row>(all());
    if (rows[0]?.isStandby !== false) throw unavailable(new Error('The server is a standby'));
    return rows.flatMap(({ id, state, leaseMs, applied, history, kind, seen }) =>
      id === null || state === null || kind === null || seen === null
        ? []
        : [{ id, state, leaseMs, applied: applied === null ? null : placeIn(history, applied), kind, seen }],
    );
  },
  markLeaving: async (ids) => {
    await run('*', markLeaving(ids));
  },
  remove: async (ids) => {
    await run('*', remove(ids));
  },
  covers,
});
