/**
 * A real PostgreSQL with an empty database in it.
 * @module
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { query, type TextRow } from '../../tests/harness/postgres/query.ts';
import {
  createServiceDatabase,
  serviceDatabase,
  serviceDatabaseUrl,
} from '../../tests/harness/postgres/service-database.ts';
import { type Postgres, startPostgres } from '../../tests/harness/postgres.ts';

/** A PostgreSQL server with an empty database. */
export interface BenchDatabase extends AsyncDisposable {
  readonly server: Postgres;
  /** As the role that owns the database. */
  readonly url: string;
  /** Runs SQL in the database as the superuser. */
  sql(text: string): Promise<readonly TextRow[]>;
}

/** Longest wait for one statement, milliseconds: filling a table with a million rows takes a while. */
const statementMsMax = 300_000;

/** More than any deployment of a bench asks for. */
const connectionsMax = 300;

/**
 * Starts a server.
 * @param address of this machine under which services reach it, those of other machines of its network too; loopback unless given
 */
export const startDatabase = async (address = '127.0.0.1'): Promise<BenchDatabase> => {
  const isLoopback = address === '127.0.0.1';
  const server = await startPostgres({
    settings: {
      max_connections: connectionsMax,
      ...(isLoopback ? {} : { listen_addresses: `127.0.0.1,${address}` }),
    },
  });
  await createServiceDatabase(server.sql);
  if (!isLoopback) {
    appendFileSync(join(server.dataDir, 'pg_hba.conf'), `host all all ${address}/24 scram-sha-256\n`);
    await server.sql('select pg_reload_conf()');
  }
  const admin = new URL(server.url);
  admin.pathname = serviceDatabase;
  return {
    server,
    url: serviceDatabaseUrl(server.port, address),
    sql: (text) => query(admin.href, text, statementMsMax),
    [Symbol.asyncDispose]: () => server.close(),
  };
};
