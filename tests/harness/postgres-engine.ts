/**
 * PostgreSQL engines for tests: one server for a test file, one database for an engine, a role that row-level security binds.
 * @module
 */
import { Client } from 'pg';
import type { Engine } from '../../packages/server/src/features/engine.contract.ts';
import { createRoleStatement } from '../../packages/server/src/stores/postgres/preflight.ts';
import { openPostgresStores, type PostgresOptions } from '../../packages/server/src/stores/postgres/stores.ts';
import { type Postgres, startPostgres } from './postgres.ts';

const role = 'catalytic';
const password = 'secret';

/** Where `node:test` or a suite ends. */
export interface Scope {
  after(clean: () => Promise<void>): void;
}

let databases = 0;

/** Runs SQL over a connection of its own. */
export const ask = async (url: string, text: string, values: unknown[] = []) => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text, values)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
};

/** An empty database that the role owns. */
export const createDatabase = async (server: Postgres): Promise<{ url: string; adminUrl: string }> => {
  const name = `engine_${++databases}`;
  await ask(server.url, `create database ${name} owner ${role}`);
  const admin = new URL(server.url);
  admin.pathname = name;
  const own = new URL(admin);
  own.username = role;
  own.password = password;
  return { url: own.href, adminUrl: admin.href };
};

/** A server with the role in it. */
export const startWithRole = async (settings: Record<string, string | number> = {}): Promise<Postgres> => {
  const server = await startPostgres({ settings: { max_connections: 120, ...settings } });
  await ask(server.url, `${createRoleStatement(role)} PASSWORD '${password}'`);
  return server;
};

/** Opens an engine over a database. */
export const openEngine = async (
  { url, adminUrl }: { url: string; adminUrl: string },
  options: Partial<PostgresOptions> = {},
): Promise<Engine> => {
  const stores = await openPostgresStores({
    url,
    poolSize: 2,
    overflow: 10,
    onProblem: (message) => {
      throw new Error(message);
    },
    ...options,
  });
  const behind = new Client({ connectionString: adminUrl });
  behind.on('error', () => {});
  await behind.connect();
  return {
    ...stores,
    force: {
      accountStatus: async (id, status) => {
        await behind.query('update account set status = $2 where id = $1', [id, status]);
      },
      tenantStatus: async (id, status) => {
        await behind.query('update tenant set status = $2 where id = $1', [id, status]);
      },
      auditEvents: async (sessionId) => {
        const { rows } = await behind.query<{ event: string }>(
          'select event from audit where session_id = $1 order by pos',
          [sessionId],
        );
        return rows.map(({ event }) => event);
      },
    },
    close: async () => {
      await stores.close();
      await behind.end();
    },
  };
};

/** Opens engines over one server, which is started for the first of them and closed after the scope. */
export const engineOpener = (scope: Scope): (() => Promise<Engine>) => {
  let server: Promise<Postgres> | undefined;
  scope.after(async () => (await server)?.close());
  return async () => {
    server ??= startWithRole();
    return openEngine(await createDatabase(await server));
  };
};
