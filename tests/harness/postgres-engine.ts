/**
 * PostgreSQL engines for tests: one server for a test file, one database for an engine, a role that row-level security binds.
 * @module
 */
import type { Engine } from '../../packages/server/src/features/engine.contract.ts';
import { createRoleStatement } from '../../packages/server/src/stores/postgres/preflight.ts';
import { openPostgresStores, type PostgresOptions } from '../../packages/server/src/stores/postgres/stores.ts';
import type { Stores } from '../../packages/server/src/stores/stores.ts';
import { query } from './postgres/query.ts';
import { type Postgres, startPostgres } from './postgres.ts';
import type { Scope } from './scope.ts';

const role = 'catalytic';
const password = 'secret';

/** A database under test. */
export interface TestDatabase {
  /** As the role that owns it. */
  readonly url: string;
  /** As the superuser. */
  readonly adminUrl: string;
}

/** Starts a server with the role in it. */
const startWithRole = async (settings: Record<string, string | number>): Promise<Postgres> => {
  const server = await startPostgres({ settings: { max_connections: 120, ...settings } });
  await server.sql(`${createRoleStatement(role)} PASSWORD '${password}'`);
  return server;
};

let databases = 0;

/** An empty database that the role owns. @param options further options of CREATE DATABASE */
export const createDatabase = async (server: Postgres, options = ''): Promise<TestDatabase> => {
  const name = `engine_${++databases}`;
  await server.sql(`create database ${name} owner ${role} ${options}`);
  const admin = new URL(server.url);
  admin.pathname = name;
  const own = new URL(admin);
  own.username = role;
  own.password = password;
  return { url: own.href, adminUrl: admin.href };
};

/** Opens an engine over a database; a problem that it reports fails the test. */
export const openEngine = async (
  { url, adminUrl }: TestDatabase,
  options: Partial<PostgresOptions> = {},
): Promise<Engine & Pick<Stores, 'probe'>> => {
  const onProblem = (message: string): void => {
    throw new Error(message);
  };
  return {
    ...(await openPostgresStores({ url, poolSize: 2, overflow: 10, onProblem, ...options })),
    force: {
      accountStatus: async (id, status) => {
        await query(adminUrl, `update account set status = '${status}' where id = '${id}'`);
      },
      tenantStatus: async (id, status) => {
        await query(adminUrl, `update tenant set status = '${status}' where id = '${id}'`);
      },
      olderMember: async (id) => {
        await query(adminUrl, `insert into member (id, state, lease_ms) values ('${id}', 'live', 1000)`);
      },
      auditEvents: async (sessionId) => {
        const rows = await query(adminUrl, `select event from audit where session_id = '${sessionId}' order by pos`);
        return rows.map((row) => String(row[0]));
      },
    },
  };
};

const templates = new WeakMap<Postgres, Promise<string>>();

/** Makes a database with the schema in it, for others to be copied from. @returns its name */
const makeTemplate = async (server: Postgres): Promise<string> => {
  const database = await createDatabase(server);
  await (await openEngine(database)).close();
  return new URL(database.url).pathname.slice(1);
};

/** A database that has the schema and nothing else: a copy takes a third of the time that the migrations take. */
export const createMigratedDatabase = async (server: Postgres): Promise<TestDatabase> => {
  const template = templates.get(server) ?? makeTemplate(server);
  templates.set(server, template);
  return createDatabase(server, `template ${await template}`);
};

/** One server for a whole scope, started at its first use and closed after the scope. */
export const sharedServer = (
  scope: Scope,
  settings: Record<string, string | number> = {},
): (() => Promise<Postgres>) => {
  let server: Promise<Postgres> | undefined;
  scope.after(async () => (await server)?.close());
  return () => {
    server ??= startWithRole(settings);
    return server;
  };
};
