/**
 * The engine for more than one machine: every port over one PostgreSQL database.
 * @module
 */
import type { Stores } from '../stores.ts';
import { postgresAccounts } from './accounts.ts';
import { postgresAdminKeys } from './admin-keys.ts';
import { postgresAudit } from './audit.ts';
import { withBreaker } from './breaker.ts';
import { Connector, ownSettings } from './connection.ts';
import type { ConnectionBudget } from './connection-budget.ts';
import { postgresDeployment } from './deployment.ts';
import { postgresGuardKeys } from './guard-keys.ts';
import { postgresGuards } from './guards.ts';
import { postgresJournal } from './journal.ts';
import { openHistory } from './journal-source.ts';
import { postgresMembers } from './members.ts';
import { migrate } from './migrate.ts';
import { refusePooledTransactions } from './pooler.ts';
import { preflight } from './preflight.ts';
import { findOnReplicas } from './replicas.ts';
import { postgresSessions } from './sessions.ts';
import { postgresSigningKeys } from './signing-keys.ts';
import { postgresTenants } from './tenants.ts';
import { statement, Transactions } from './transactions.ts';

/** Where the database is, and how many connections may be used. */
export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`, with one host or several. */
  readonly url: string;
  /** Replicas of the database, for reads that may be slightly stale. @default none */
  readonly replicaUrls?: readonly string[];
  /** Connections that this machine keeps open. */
  readonly poolSize: number;
  /** Connections that it may open in addition; closed after 10 s without work. */
  readonly overflow: number;
  /** Processes of this machine, which divide them. @default 1 */
  readonly workers?: number;
  /** Machines that share the server. @default 1 */
  readonly machines?: number;
  /** Longest time that one operation may take, milliseconds. @default 5000 */
  readonly statementMs?: number;
  /** Called with messages for the operator; none of them stops the service. */
  readonly onProblem: (message: string) => void;
  /** Called once with the calculation of the connections. */
  readonly onBudget?: (arithmetic: string) => void;
}

// A transactional message changes no table, but its commit is written and flushed like any other. A
// standby refuses it.
const probe = statement('probe', `select pg_logical_emit_message(true, 'catalytic.probe', '')`);

const prepare = async (options: PostgresOptions, statementMs: number): Promise<ConnectionBudget> => {
  const { url, workers = 1, machines = 1, poolSize, overflow } = options;
  // A migration has no time limit.
  const settings = { ...ownSettings(statementMs), statement_timeout: 0 };
  const connector = new Connector({ url, statementMs }, { settings });
  const client = await connector.connect();
  try {
    await refusePooledTransactions(client, () => connector.connect());
    const budget = await preflight(client, { machines, workers, poolSize, overflow }, options);
    await migrate(client);
    for (const statement of openHistory) await client.query(statement);
    return budget;
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
  const { size, overflow } = await prepare(options, statementMs);
  const transactions = new Transactions(connection, size, overflow, onProblem);
  const run = withBreaker(transactions.run, onProblem);
  const replicas = replicaUrls.map(
    (replica) => new Transactions({ url: replica, statementMs: replicaMs, mayLag: true }, size, overflow, onProblem),
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
    journal: postgresJournal(run, connection, transactions),
    members: postgresMembers(transactions),
    guards: postgresGuards(run, transactions),
    signingKeys: postgresSigningKeys(run),
    adminKeys: postgresAdminKeys(run),
    guardKeys: postgresGuardKeys(run),
    deployment: postgresDeployment(run),
    audit: postgresAudit(run),
    probe: async () => {
      await run('*', probe());
    },
    connections: () => transactions.connections,
    walBytes: () => undefined,
    close: async () => {
      await Promise.all([transactions, ...replicas].map((each) => each.close()));
    },
  };
};
