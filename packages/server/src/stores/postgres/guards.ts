/** Guards in PostgreSQL. @module */
import { type Marks, pauseMsMax, pauseMsMin, pauseSeconds, unsteadyMarks } from '../../features/guard-keys/rules.ts';
import type { GuardStore, Registering } from '../../features/guards/store.ts';
import { type PlacedRow, toPlacedEntry } from './journal-rows.ts';
import { idOfHash } from './key-rows.ts';
import { type Run, statement, type Transactions } from './transactions.ts';
import { unavailable } from './unavailable.ts';

/**
 * Locks registrations, and revocations of guard keys, against each other until the transaction ends.
 * The next statement then sees every row of those before it: guards are counted with all others, and
 * no guard is registered with a key that is being revoked. Any number, the same in every version.
 */
export const lockGuards = statement('guard_lock', 'select pg_advisory_xact_lock(7240118555)');

// `steadyAtMs` of the rules.
const steadyAt = `case when h.marks < ${unsteadyMarks} then 0
  else h.marked_at + least(${pauseMsMax}, ${pauseMsMin} * 2 ^ least(h.marks - ${unsteadyMarks}, 30)) end`;
const register = statement(
  'guard_register',
  `with holder as (
     select marks, marked_at from guard_key where ${idOfHash} = $2
   ), counted as (
     select count(*) filter (where key = $2) as of_key, count(*) as of_all
       from member where kind = 'guard' and state = 'live'
   ), judged as (
     select case when h.marks is null then 'no key'
                 when exists (select 1 from member where kind is null) then 'older version present'
                 when ${steadyAt} > $8::bigint then 'unsteady'
                 when c.of_key >= $6::integer or c.of_all >= $7::integer then 'too many'
                 else 'registered' end as outcome,
            h.marks, h.marked_at as "markedAtMs"
       from counted c left join holder h on true
   ), registered as (
     insert into member (id, state, lease_ms, kind, key, name, kinds)
     select $1::uuid, 'live', $5::integer, 'guard', $2, $3, $4 from judged where outcome = 'registered'
   ) select * from judged`,
);
const leave = statement(
  'guard_leave',
  `delete from member where id = $1::uuid and kind = 'guard' and key = $2 returning id`,
);
// Its commit does not wait for the disk.
const seen = statement(
  'guard_seen',
  `with quick as materialized (select set_config('synchronous_commit', 'off', true))
   update member set seen = seen + 1 from quick where id = any($1::uuid[])`,
);
// At least one row, so that history and standby are recognised even without entries.
const page = statement(
  'guard_page',
  `select d.history::text = $1 as "isSameHistory", pg_is_in_recovery() as "isStandby", part.*
     from deployment d left join lateral (
            select id, xid, kind, key, epoch, keep_until, keeps_sessions, tenant_id from journal
             where (xid, id) > ($2::xid8, $3::uuid) and xid <= $4::xid8
               and ($5::uuid is null or tenant_id = $5::uuid or tenant_id is null)
             order by xid, id limit $6) part on true
    order by part.xid, part.id`,
);

/** The place before every other. */
const beginning = { place: 0n, id: '00000000-0000-0000-0000-000000000000' };

/** Without entries one row says which history the database has, and all else in it is null. */
type PageRow = { readonly isSameHistory: boolean; readonly isStandby: boolean } & (PlacedRow | { readonly xid: null });

/** @param run sees all tenants, because guards may be of all */
export const postgresGuards = (run: Run, { read }: Pick<Transactions, 'read'>): GuardStore => ({
  register: async ({ id, key, name, kinds, leaseMs, perKeyMax, allMax, nowMs }) => {
    const [judged] = await run<Marks & { readonly outcome: Registering['outcome'] }>(
      '*',
      lockGuards(),
      register(id, key, name, kinds, leaseMs, perKeyMax, allMax, nowMs),
    );
    if (judged === undefined) throw new Error('Cannot register a guard: the statement has judged nothing');
    const { outcome } = judged;
    return outcome === 'unsteady' ? { outcome, retryAfterSeconds: pauseSeconds(judged, nowMs) } : { outcome };
  },
  leave: async ({ id, key }) => (await run('*', leave(id, key))).length > 0,
  seen: async (ids) => {
    await run('*', seen(ids));
  },
  page: async ({ history, after = beginning, upTo, tenantId, rowsMax }) => {
    const values = [history, String(after.place), after.id, String(upTo), tenantId, rowsMax];
    const rows = await read<PageRow>(page(...values));
    if (rows[0]?.isStandby !== false) throw unavailable(new Error('The server is a standby'));
    return {
      isSameHistory: rows[0].isSameHistory,
      entries: rows.flatMap((row) => (row.xid === null ? [] : [toPlacedEntry(row)])),
    };
  },
});
