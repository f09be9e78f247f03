/** The deployment in PostgreSQL. @module */
import type { DeploymentStore } from '../../features/deployment/store.ts';
import { formerGuards } from '../guard-row.ts';
import { appendAudit, originValue } from './audit-rows.ts';
import { appendEntry, databaseMs } from './journal-rows.ts';
import type { CountRow } from './session-statements.ts';
import { insertKey, lockKeys, valuesOf } from './signing-keys.ts';
import { type Run, statement } from './transactions.ts';

/**
 * Any number, the same in every version. Each serving process shares this advisory lock of the
 * database from start to end.
 */
const servingLockKey = 7_240_118_554;

/** SQL of the lock that serving processes share. */
export const servingLock = { share: `select pg_advisory_lock_shared(${servingLockKey})` } as const;

// A process of the version before holds no lock. It is recognised by the name of its connection.
const isServed = statement(
  'deployment_is_served',
  `select not pg_try_advisory_xact_lock(${servingLockKey})
          or exists (select 1 from pg_stat_activity
                      where datname = current_database() and application_name = 'catalytic journal') as is_served`,
);

// The first read of a process that starts now waits until the new history has begun.
const lockOutServing = statement(
  'deployment_lock_out_serving',
  `do $$ begin
     if not pg_try_advisory_xact_lock(${servingLockKey}) then
       raise exception 'a process of the service uses the database' using errcode = 'object_in_use';
     end if;
   end $$`,
);

// Copies of a database in other clusters, and other databases of this cluster, get other names.
const scope = statement(
  'deployment_scope',
  `select concat_ws('.', (select system_identifier from pg_control_system()),
                    (select oid from pg_database where datname = current_database()), generation) as scope
     from deployment`,
);

const generation = statement('deployment_generation', 'select generation from deployment');

const ofRestore = (reason: 'signing_key_killed' | 'history_begun') =>
  ({ event: 'authz_admin', reason, at: '$2', by: '$3' }) as const;
const beginNewHistory = statement(
  'deployment_begin_new_history',
  `with killed as (
     ${appendEntry({ kind: 'key', key: 'kid', epoch: 'null', tenant: 'null' }, 'from signing_key where kid <> $1', 'null')}
   ), killing as (
     ${appendAudit({ ...ofRestore('signing_key_killed'), subject: 'key' }, 'from killed')}
   ), retired as (
     update signing_key set retires_at = $2 where kid <> $1
   ), ended as (
     update session set ended_at = $2, end_reason = 'logout_all' where ended_at is null returning 1
   ), unregistered as (
     delete from member where kind is distinct from 'guard'
   ), silenced as (
     update member set state = 'leaving', applied = null where kind = 'guard'
   ), standing as (
     insert into member (id, state, lease_ms, kind, name)
     values (gen_random_uuid(), 'leaving', ${formerGuards.leaseMs}, 'guard', '${formerGuards.name}')
   ), raised as (
     update deployment set generation = generation + 1, history = gen_random_uuid()
   ), trace as (
     ${appendAudit({ ...ofRestore('history_begun'), subject: '$1' })}
   )
   select (select count(*) from killed)::integer as keys_killed,
          (select count(*) from ended)::integer as sessions_ended`,
);

// The order of positions is nearly that of time. Only the first rows are examined, so a purge
// without old rows ends at once.
const purgeAudit = statement(
  'audit_purge',
  `with old as (
     select pos from audit
      where pos in (select pos from audit order by pos limit $3)
        and at < least($1::bigint, ${databaseMs}) - $2::bigint
      for update skip locked
   ), purged as (
     delete from audit a using old where a.pos = old.pos returning 1
   ) select count(*)::integer as rows from purged`,
);

/** @param run runs transactions */
export const postgresDeployment = (run: Run): DeploymentStore => ({
  scope: async () => (await run<{ scope: string }>('*', scope()))[0]?.scope ?? '',
  generation: async () => (await run<{ generation: number }>('*', generation()))[0]?.generation ?? 0,
  isServed: async () => (await run<{ is_served: boolean }>('*', isServed()))[0]?.is_served === true,
  purgeAudit: async ({ nowMs, sinceMs, rowsMax }) =>
    (await run<CountRow>('*', purgeAudit(nowMs, sinceMs, rowsMax)))[0]?.rows ?? 0,
  beginNewHistory: async ({ key, nowMs, by }) => {
    const [cost] = await run<{ keys_killed: number; sessions_ended: number }>(
      '*',
      lockOutServing(),
      lockKeys(),
      insertKey(...valuesOf({ key, by })),
      beginNewHistory(key.kid, nowMs, originValue(by)),
    );
    return { keysKilled: cost?.keys_killed ?? 0, sessionsEnded: cost?.sessions_ended ?? 0 };
  },
});
