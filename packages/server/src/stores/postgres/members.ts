/** Members in PostgreSQL. @module */
import type { Member, MemberStore } from '../../features/revocation/store.ts';
import { placeIn } from './journal-rows.ts';
import { type Run, statement, type Transactions } from './transactions.ts';
import { unavailable } from './unavailable.ts';

// At least one row, so that a standby is recognised even without members.
const all = statement(
  'member_all',
  `select m.id, m.state, m.lease_ms as "leaseMs", m.applied, m.applied_history as history,
          pg_is_in_recovery() as "isStandby"
     from (select) one left join member m on true`,
);
const markLeaving = statement('member_mark_leaving', `update member set state = 'leaving' where id = any($1)`);
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
    return rows.flatMap(({ id, state, leaseMs, applied, history }) =>
      id === null || state === null
        ? []
        : [{ id, state, leaseMs, applied: applied === null ? null : placeIn(history, applied) }],
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
