/** Members in PostgreSQL. @module */
import type { Member, MemberStore } from '../../features/revocation/store.ts';
import { type Run, statement } from './transactions.ts';

const all = statement('member_all', 'select id, state, applied from member');
const markLeaving = statement('member_mark_leaving', `update member set state = 'leaving' where id = any($1)`);
const remove = statement('member_remove', 'delete from member where id = any($1)');

/**
 * Whether a snapshot shows what a committed transaction has written: `pg_visible_in_snapshot`, without asking the server.
 * @param snapshot as `pg_snapshot` is written: `xmin:xmax:in progress,…`
 */
export const isVisible = (snapshot: string, xid: string): boolean => {
  const [xmin = '', xmax = '', inProgress = ''] = snapshot.split(':');
  const id = BigInt(xid);
  return id < BigInt(xmin) || (id < BigInt(xmax) && !inProgress.split(',').includes(xid));
};

/** @param run runs transactions, not through the circuit breaker: whoever waits for members tries again by itself */
export const postgresMembers = (run: Run): MemberStore => ({
  list: () => run<Member>('*', all()),
  markLeaving: async (ids) => {
    await run('*', markLeaving(ids));
  },
  remove: async (ids) => {
    await run('*', remove(ids));
  },
  covers: isVisible,
});
