/**
 * The engine for more than one machine: every port over one PostgreSQL database.
 * @module
 */
import { Client } from 'pg';
import type { Stores } from '../stores.ts';
import { postgresAccounts } from './accounts.ts';
import { postgresAdminKeys } from './admin-keys.ts';
import { postgresAudit } from './audit.ts';
import { withBreaker } from './breaker.ts';
import { postgresDeployment } from './deployment.ts';
import { postgresJournal } from './journal.ts';
import { openHistory } from './journal-source.ts';
import { postgresMembers } from './members.ts';
import { migrate } from './migrate.ts';
import { refusePooledTransactions } from './pooler.ts';
import { type PoolSize, preflight } from './preflight.ts';
import { findOnReplicas } from './replicas.ts';
import { postgresSessions } from './sessions.ts';
import { postgresSigningKeys } from './signing-keys.ts';
import { postgresTenants } from './tenants.ts';
import { type ConnectionOptions, connectionConfig, statement, Transactions } from './transactions.ts';

/** Where the database is, and how many connections this process may use. */
export interface PostgresOptions {
  /** `postgres://user:password@host:port/database` */
  readonly url: string;
  /** Replicas of the database, for reads that may be slightly stale. @default none */
  readonly replicaUrls?: readonly string[];
  /** Connections that this process keeps open. */
  readonly poolSize: number;
  /** Connections that it may open in addition; closed after 10 s without work. */
  readonly overflow: number;
  /** Longest time that one operation may take, milliseconds. @default 5000 */
  readonly statementMs?: number;
  /** Called with messages for the operator; none of them stops the service. */
  readonly onProblem: (message: string) => void;
}

// A transactional message changes no table, but its commit is written and flushed like any other. A
// standby refuses it.
const probe = statement('probe', `select pg_logical_emit_message(true, 'catalytic.probe', '')`);

const prepare = async (options: PostgresOptions, connection: ConnectionOptions): Promise<PoolSize> => {
  const open = async (): Promise<Client> => {
    // A migration has no time limit.
    const client = new Client({ ...connectionConfig(connection), statement_timeout: 0 });
    client.on('error', () => {});
    await client.connect();
    return client;
  };
  const client = await open();
  try {
    await refusePooledTransactions(client, open);
    const fitting = await preflight(client, { size: options.poolSize, overflow: options.overflow }, options.onProblem);
    await migrate(client);
    for (const statement of openHistory) await client.query(statement);
    return fitting;
  } finally {
    await client.end();
  }
};

/** Longest time that a replica may take before the primary is asked, milliseconds. */
const replicaMs = 500;

/** Opens the database and migrates its schema. */
export const openPostgresStores = async (options: PostgresOptions): Promise<Stores> => {
  const { url, replicaUrls = [], statementMs = 5000, onProblem } = options;
  const connection = { url, statementMs };
  const { size, overflow } = await prepare(options, connection);
  const transactions = new Transactions(connection, size, overflow, onProblem);
  const run = withBreaker(transactions.run, onProblem);
  const replicas = replicaUrls.map(
    (replica) =>
      new Transactions({ url: replica, statementMs: replicaMs, mayLag: true }, size, options.overflow, onProblem),
  );
  const accounts = postgresAccounts(run);
  const finds = replicas.map((replica, index) => {
    const meanwhile = 'the primary is asked instead';
    return postgresAccounts(withBreaker(replica.run, onProblem, `Replica ${index + 1} of PostgreSQL`, meanwhile)).find;
  });
  return {
    tenants: postgresTenants(run),
    accounts: finds.length === 0 ? accounts : { ...accounts, find: findOnReplicas(accounts.find, finds) },
    sessions: postgresSessions(run),
    journal: postgresJournal(run, connection),
    members: postgresMembers(transactions),
    signingKeys: postgresSigningKeys(run),
    adminKeys: postgresAdminKeys(run),
    deployment: postgresDeployment(run),
    audit: postgresAudit(run),
    probe: async () => {
      await run('*', probe());
    },
    connections: () => transactions.connections,
    close: async () => {
      await Promise.all([transactions, ...replicas].map((each) => each.close()));
    },
  };
};
