/**
 * Checks before the first request: version, role, and number of connections that the server allows.
 * @module
 */
import { type Client, escapeIdentifier } from 'pg';

/**
 * The oldest supported version: it has `pg_snapshot` and `xid8`, and its makers still maintain it.
 */
export const versionMin = 15;

/** Number of connections that a process may hold. */
export interface PoolSize {
  readonly size: number;
  readonly overflow: number;
}

interface ServerRow {
  readonly version: number;
  readonly allowed: number;
  readonly role: string;
  readonly is_above_policies: boolean;
  /** Number of standbys that the role can see and that no commit waits for. */
  readonly late_standbys: number;
}

/** The statement that an administrator runs once. Row-level security binds the new role. */
export const createRoleStatement = (role: string): string =>
  `CREATE ROLE ${escapeIdentifier(role)} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS`;

/** Reduces the overflow first, then the pool. One further connection reads the journal. */
const fit = ({ size, overflow }: PoolSize, allowed: number): PoolSize => {
  const pooled = Math.max(1, allowed - 1);
  return { size: Math.min(size, pooled), overflow: Math.max(0, Math.min(overflow, pooled - size)) };
};

/**
 * Checks the server.
 * @param onProblem called with faults that do not prevent the start
 * @returns the pool as large as the server allows
 * @throws when the server is too old
 */
export const preflight = async (
  client: Client,
  wanted: PoolSize,
  onProblem: (message: string) => void,
): Promise<PoolSize> => {
  const { rows } = await client.query<ServerRow>(
    `select current_setting('server_version_num')::integer / 10000 as version,
            current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
              - coalesce(current_setting('reserved_connections', true)::integer, 0) as allowed,
            current_user as role, rolsuper or rolbypassrls as is_above_policies,
            (select count(*) from pg_stat_replication where sync_state in ('async', 'potential'))::integer as late_standbys
       from pg_roles where rolname = current_user`,
  );
  const [server] = rows;
  if (server === undefined) throw new Error('Cannot look at PostgreSQL: the role has no row in pg_roles');
  if (server.version < versionMin)
    throw new Error(`Cannot use PostgreSQL ${server.version}: ${versionMin} is the oldest version that will do`);
  if (server.is_above_policies)
    onProblem(
      `The PostgreSQL role ${server.role} bypasses row-level security, the second lock between tenants: connect as a role of its own`,
    );
  if (server.late_standbys > 0)
    onProblem(
      `${server.late_standbys} standbys of PostgreSQL are asynchronous: what was revoked last does not survive a failover to one of them; "catalytic doctor" says what to change`,
    );
  const fitting = fit(wanted, server.allowed);
  const asked = wanted.size + wanted.overflow;
  if (fitting.size + fitting.overflow < asked)
    onProblem(
      `The pool asks for ${asked} connections, PostgreSQL allows ${server.allowed}: using ${fitting.size + fitting.overflow} and one for the journal; raise max_connections, or lower DATABASE_POOL_SIZE and DATABASE_MAX_OVERFLOW`,
    );
  return fitting;
};
