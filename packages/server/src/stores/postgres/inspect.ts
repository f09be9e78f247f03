/**
 * Inspects a PostgreSQL database without changing it.
 * @module
 */
import { escapeIdentifier } from 'pg';
import { Connector } from './connection.ts';
import { databaseMs } from './journal-rows.ts';
import { refusePooledTransactions } from './pooler.ts';
import {
  allowedConnections,
  createRoleStatement,
  encodingNeeded,
  encodingRemedy,
  reservedConnections,
  versionMin,
} from './preflight.ts';

/** The findings. */
export interface Database {
  readonly version: number;
  /** The oldest supported version. */
  readonly versionMin: number;
  readonly isStandby: boolean;
  readonly encoding: string;
  /** What to do about an encoding that cannot hold every text; `undefined`: this one can. */
  readonly encodingRemedy: string | undefined;
  /** Why the pooler in front of the server cannot be used; `undefined`: none is, or it can. */
  readonly poolerFault?: string | undefined;
  /** Whether a pooler that can be used stands in front of the server. */
  readonly isPooled: boolean;
  readonly role: string;
  /** Whether the role bypasses row-level security. */
  readonly isAbovePolicies: boolean;
  /** `null`: there are no tables yet. */
  readonly tableOwner: string | null;
  /** Whether the role may create the tables, or migrate them. */
  readonly mayMigrate: boolean;
  /** Connections that server, database and role allow this role. */
  readonly connectionsAllowed: number;
  /** How many connections the server reserves for other roles. */
  readonly connectionsReserved: number;
  readonly synchronousCommit: string;
  readonly fsync: string;
  readonly fullPageWrites: string;
  readonly standbyNames: string;
  /**
   * `pg_stat_replication.sync_state` of each connected standby; `null`: the role may not see it.
   */
  readonly standbys: readonly (string | null)[];
  /** Number of processes of the service that accept tokens now. */
  readonly members: number;
  /**
   * Least amount by which the clock of this machine is ahead of the server's, milliseconds.
   * Negative: behind.
   */
  readonly clockAheadMs: number;
  /** Statements that an administrator may have to run. */
  readonly statements: {
    readonly createRole: string;
    /** Makes the new role the owner of the database and of a table. */
    readonly ownDatabase: string;
    readonly ownTable: string;
    /** Makes the present role the owner of both. */
    readonly giveDatabase: string;
    readonly giveTable: string;
    readonly seeStandbys: string;
  };
}

/** Longest time that the server may take to answer, milliseconds. */
const answerMs = 5000;

const look = `
  select current_setting('server_version_num')::integer / 10000 as version, pg_is_in_recovery() as "isStandby",
         current_database() as database, current_user as role, rolsuper or rolbypassrls as "isAbovePolicies",
         (select pg_get_userbyid(relowner) from pg_class where oid = to_regclass('tenant')) as "tableOwner",
         coalesce(
           (select pg_has_role(current_user, relowner, 'usage') from pg_class where oid = to_regclass('tenant')),
           has_schema_privilege(current_schema(), 'create'), false) as "mayMigrate",
         current_setting('server_encoding') as encoding, pg_backend_pid() as pid,
         ${allowedConnections} as "connectionsAllowed",
         ${reservedConnections} as "connectionsReserved",
         current_setting('synchronous_commit') as "synchronousCommit", current_setting('fsync') as fsync,
         current_setting('full_page_writes') as "fullPageWrites",
         current_setting('synchronous_standby_names') as "standbyNames",
         (select coalesce(json_agg(sync_state), '[]') from pg_stat_replication
           where state is distinct from 'backup') as standbys,
         to_regclass('member') is not null as "hasMembers", ${databaseMs} as "databaseMs"
    from pg_roles where rolname = current_user`;

// As JSON, because the table of the version before has no column "kind".
const countWorkers = `select count(*)::integer as members from member m where to_jsonb(m) ->> 'kind' is distinct from 'guard'`;

type Row = Omit<
  Database,
  'versionMin' | 'encodingRemedy' | 'members' | 'statements' | 'clockAheadMs' | 'poolerFault' | 'isPooled'
> & {
  readonly databaseMs: number;
  readonly pid: number;
  readonly database: string;
  readonly hasMembers: boolean;
};

const statementsFor = (database: string, role: string): Database['statements'] => {
  const own = role === 'catalytic' ? 'catalytic_service' : 'catalytic';
  const [databaseName, roleName] = [escapeIdentifier(database), escapeIdentifier(role)];
  return {
    createRole: createRoleStatement(own),
    ownDatabase: `ALTER DATABASE ${databaseName} OWNER TO ${own}`,
    ownTable: `ALTER TABLE … OWNER TO ${own}`,
    giveDatabase: `ALTER DATABASE ${databaseName} OWNER TO ${roleName}`,
    giveTable: `ALTER TABLE … OWNER TO ${roleName}`,
    seeStandbys: `GRANT pg_read_all_stats TO ${roleName}`,
  };
};

/**
 * Inspects a database, with the settings of its administrators.
 * @throws when it cannot be reached or refuses the role
 */
export const inspectPostgres = async (url: string): Promise<Database> => {
  const options = { url, statementMs: answerMs, mayLag: true };
  const connector = new Connector(options, { name: 'catalytic doctor', settings: {} });
  const client = await connector.connect();
  try {
    const askedMs = Date.now();
    const [row] = (await client.query<Row>({ text: look, query_timeout: answerMs } as { text: string })).rows;
    const answeredMs = Date.now();
    if (row === undefined) throw new Error('the role has no row in pg_roles');
    const { database, hasMembers, databaseMs: told, pid, ...seen } = row;
    const clockAheadMs = Math.max(0, askedMs - told) - Math.max(0, told - answeredMs);
    // The role may lack rights on tables of another owner. Another finding reports that.
    const counted = await client
      .query<{ members: number }>(hasMembers ? countWorkers : 'select 0 as members')
      .catch(() => undefined);
    const members = counted?.rows[0]?.members ?? 0;
    const poolerFault = await refusePooledTransactions(client, () => connector.connect()).then(
      () => undefined,
      (error: Error) => error.message,
    );
    // A pooler makes up the process id that it answers with.
    const isPooled = pid !== (client as unknown as { processID: number }).processID;
    const statements = statementsFor(database, row.role);
    const remedy = seen.encoding === encodingNeeded ? undefined : encodingRemedy;
    return { ...seen, versionMin, encodingRemedy: remedy, members, clockAheadMs, poolerFault, isPooled, statements };
  } finally {
    await client.end();
  }
};
