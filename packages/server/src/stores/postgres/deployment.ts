/** The deployment in PostgreSQL. @module */
import type { DeploymentStore } from '../../features/deployment/store.ts';
import type { CountRow } from './session-statements.ts';
import { insertKey, lockKeys, valuesOf } from './signing-keys.ts';
import { type Run, statement } from './transactions.ts';

// Every process that serves holds a connection of this name from its start to its end.
const isServed = statement(
  'deployment_is_served',
  `select exists (select 1 from pg_stat_activity
                   where datname = current_database() and application_name = 'catalytic journal') as is_served`,
);

const generation = statement('deployment_generation', 'select generation from deployment');

const beginNewHistory = statement(
  'deployment_begin_new_history',
  `with killed as (
     insert into journal (id, kind, key) select gen_random_uuid(), 'key', kid from signing_key where kid <> $1 returning 1
   ), retired as (
     update signing_key set retires_at = $2 where kid <> $1
   ), ended as (
     update session set ended_at = $2, end_reason = 'logout_all' where ended_at is null returning 1
   ), unregistered as (
     delete from member
   ), raised as (
     update deployment set generation = generation + 1
   )
   select (select count(*) from killed)::integer as keys_killed, (select count(*) from ended)::integer as sessions_ended`,
);

const purgeAudit = statement(
  'audit_purge',
  `with old as (
     select pos from audit where at < $1 order by pos limit $2 for update skip locked
   ), purged as (
     delete from audit a using old where a.pos = old.pos returning 1
   ) select count(*)::integer as rows from purged`,
);

/** @param run runs transactions */
export const postgresDeployment = (run: Run): DeploymentStore => ({
  generation: async () => (await run<{ generation: number }>('*', generation()))[0]?.generation ?? 0,
  isServed: async () => (await run<{ is_served: boolean }>('*', isServed()))[0]?.is_served === true,
  purgeAudit: async (beforeMs, rowsMax) => (await run<CountRow>('*', purgeAudit(beforeMs, rowsMax)))[0]?.rows ?? 0,
  beginNewHistory: async (key, nowMs) => {
    const [cost] = await run<{ keys_killed: number; sessions_ended: number }>(
      '*',
      lockKeys(),
      insertKey(...valuesOf(key)),
      beginNewHistory(key.kid, nowMs),
    );
    return { keysKilled: cost?.keys_killed ?? 0, sessionsEnded: cost?.sessions_ended ?? 0 };
  },
});
