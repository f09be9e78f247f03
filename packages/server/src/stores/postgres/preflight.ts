/**
 * Checks before the first request: version, encoding, role, and number of connections that the
 * server allows.
 * @module
 */
import { type Client, escapeIdentifier } from 'pg';
import {
  type ConnectionBudget,
  type ConnectionDemand,
  connectionBudget,
  connectionRemedy,
} from './connection-budget.ts';

/**
 * The oldest supported version: it has `pg_snapshot` and `xid8`, and its makers still maintain it.
 */
export const versionMin = 15;

/** SQL of the connections that the server keeps for other roles. */
export const reservedConnections = `(current_setting('superuser_reserved_connections')::integer
  + coalesce(current_setting('reserved_connections', true)::integer, 0))`;

/** SQL of the connections that server, database and role allow the present role together. */
export const allowedConnections = `least(
  current_setting('max_connections')::integer - ${reservedConnections},
  (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user),
  (select nullif(datconnlimit, -1) from pg_database where datname = current_database()))`;

interface ServerRow {
  readonly version: number;
  readonly encoding: string;
  readonly allowed: number;
  readonly reserved: number;
  readonly role: string;
  readonly is_above_policies: boolean;
  /** Number of standbys that the role can see and that no commit waits for. */
  readonly late_standbys: number;
}

/** The statement that an administrator runs once. Row-level security binds the new role. */
export const createRoleStatement = (role: string): string =>
  `CREATE ROLE ${escapeIdentifier(role)} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS`;

/** The only encoding that holds every text and refuses bytes that are no text. */
export const encodingNeeded = 'UTF8';

/** What an administrator does about another encoding, which a database keeps for life. */
export const encodingRemedy = `make another database with "CREATE DATABASE … ENCODING '${encodingNeeded}' TEMPLATE template0" and name it in DATABASE_URL`;

/** Where the findings go. */
export interface PreflightListener {
  /** Called with faults that do not prevent the start. */
  readonly onProblem: (message: string) => void;
  /** Called with the calculation of the connections. */
  readonly onBudget?: (arithmetic: string) => void;
}

/**
 * Checks the server.
 * @returns the connections that this process may hold
 * @throws when the server is too old, or the database has another encoding
 */
export const preflight = async (
  client: Client,
  demand: ConnectionDemand,
  { onProblem, onBudget }: PreflightListener,
): Promise<ConnectionBudget> => {
  const { rows } = await client.query<ServerRow>(
    `select current_setting('server_version_num')::integer / 10000 as version,
            current_setting('server_encoding') as encoding, ${allowedConnections} as allowed, ${reservedConnections} as reserved,
            current_user as role, rolsuper or rolbypassrls as is_above_policies,
            (select count(*) from pg_stat_replication where sync_state in ('async', 'potential'))::integer as late_standbys
       from pg_roles where rolname = current_user`,
  );
  const [server] = rows;
  if (server === undefined) throw new Error('Cannot look at PostgreSQL: the role has no row in pg_roles');
  if (server.version < versionMin)
    throw new Error(`Cannot use PostgreSQL ${server.version}: ${versionMin} is the oldest version that will do`);
  if (server.encoding !== encodingNeeded)
    throw new Error(`its encoding is ${server.encoding}, which cannot hold every text; ${encodingRemedy}`);
  if (server.is_above_policies)
    onProblem(
      `The PostgreSQL role ${server.role} bypasses row-level security, the second lock between tenants: connect as a dedicated role`,
    );
  if (server.late_standbys > 0)
    onProblem(
      `${server.late_standbys} standbys of PostgreSQL are asynchronous: what was revoked last does not survive a failover to one of them; "catalytic doctor" says what to change`,
    );
  const budget = connectionBudget(demand, server.allowed);
  if (budget.isCut)
    onProblem(
      `${budget.arithmetic}, fewer than DATABASE_POOL_SIZE asks for; ${connectionRemedy(budget.needed + server.reserved)}`,
    );
  else onBudget?.(budget.arithmetic);
  return budget;
};
