/**
 * Transactions over a pool of connections. Each is sent to the server as one pipeline and answered
 * in one.
 * @module
 */
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { TenantId } from '@catalytic/protocol/ids';
import {
  type Client,
  type ClientBase,
  type CustomTypesConfig,
  Pool,
  type PoolClient,
  type PoolConfig,
  type QueryResult,
  types,
} from 'pg';
import { Flight, type Statement } from './flight.ts';
import { asPortError, isConflict, isUnavailable } from './unavailable.ts';

/**
 * Makes a named statement, which each connection parses and plans once. The caller of {@link Run}
 * gives the type of its rows.
 */
export const statement =
  (name: string, text: string) =>
  (...values: readonly unknown[]): Statement => ({ name, text, values });

/**
 * A statement that locks a table until the transaction ends. PostgreSQL accepts a bare LOCK TABLE
 * only between BEGIN and COMMIT, which these transactions do not send.
 */
export const lockStatement = (name: string, table: string, mode: string): (() => Statement) =>
  statement(name, `do $$ begin lock table ${table} in ${mode} mode; end $$`);

/**
 * Runs statements in one transaction and returns the rows of the last one, after the commit.
 * @param tenant the only tenant whose rows the statements see; `*` for all tenants
 * @throws {CatalyticError} `store_unavailable` when the database does not answer in time, or it is
 *   unknown whether it committed
 */
export type Run = <Row>(tenant: TenantId | '*', ...statements: readonly Statement[]) => Promise<readonly Row[]>;

/** How to reach the server. */
export interface ConnectionOptions {
  readonly url: string;
  /** Longest time a transaction may take from the call to the answer, milliseconds. */
  readonly statementMs: number;
  /** Whether the server may be a standby, whose answers may be old. @default false */
  readonly mayLag?: boolean;
}

// The first statement of every transaction. A commit that can be lost must never be visible,
// whatever role, database or URL say. A standby must be recognised, because it may be stale.
const prelude = statement(
  'prelude',
  `select set_config('catalytic.tenant', $1, true), set_config('synchronous_commit', 'on', true),
          pg_is_in_recovery() as is_standby`,
);

const conflictRetries = 3;

/** `bigint` is read as a number: times and counts stay far below 2^53. */
const numbers: CustomTypesConfig = {
  getTypeParser: (oid, format) => (oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format)),
};

/**
 * Settings that override role, database and URL: a commit is durable before it is answered, and
 * each statement sees what was committed before it began.
 */
const ownOptions = '-c synchronous_commit=on -c default_transaction_isolation=read\\ committed';

/** Parameters of a URL that would replace the service's own settings. */
const reserved = ['options', 'application_name', 'fallback_application_name'] as const;

/**
 * Removes the server options from a URL and puts them before the service's own, so that its own
 * win.
 */
const readUrl = (text: string): { readonly url: string; readonly options: string } => {
  const url = new URL(text);
  const given = url.searchParams.get('options');
  for (const name of reserved) url.searchParams.delete(name);
  return { url: url.href, options: given === null ? ownOptions : `${given} ${ownOptions}` };
};

/** Settings of every connection of this process. */
export const connectionConfig = ({ url: text, statementMs }: ConnectionOptions): PoolConfig => {
  const { url, options } = readUrl(text);
  return {
    connectionString: url,
    application_name: 'catalytic',
    connectionTimeoutMillis: statementMs,
    statement_timeout: statementMs,
    idle_in_transaction_session_timeout: statementMs,
    options,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: numbers,
  };
};

/**
 * Whether a notice of the server means that the commit may not survive a failover: "canceling wait
 * for synchronous replication". Then the transaction is committed on this server and perhaps on no
 * standby. The notice is recognised by the routine that reports it, because its text is in the
 * server's language, and by the first letters of that routine, because its name changes between
 * versions.
 */
export const isDoubtful = ({ routine }: { readonly routine?: string | undefined }): boolean =>
  routine?.startsWith('SyncRep') === true;

/** The socket of a client. */
const socketOf = (client: ClientBase): Socket =>
  (client as unknown as { connection: { stream: Socket } }).connection.stream;

/**
 * Longest time for closing a connection, milliseconds: a frozen server must not keep the process
 * from ending.
 */
const goodbyeMs = 1000;

/** Closes a connection. */
export const leave = async (client: Client): Promise<void> => {
  const timer = setTimeout(() => socketOf(client).destroy(), goodbyeMs);
  await client.end();
  clearTimeout(timer);
};

/** Sends the statements of one transaction as a pipeline. @returns the replies, in order */
const fly = async (client: PoolClient, tenant: string, statements: readonly Statement[], deadlineMs: number) =>
  new Promise<readonly QueryResult[]>((resolve, reject) => {
    // After the deadline the connection is destroyed, never reused, because an answer may still
    // arrive on it.
    client.query(
      new Flight([prelude(tenant), ...statements], numbers, deadlineMs, (error, replies) =>
        error ? reject(error) : resolve(replies),
      ),
    );
  });

/** A pool of connections, and the transactions on it. */
export class Transactions {
  readonly #pool: Pool;
  readonly #statementMs: number;
  readonly #clients = new Set<PoolClient>();
  /** Connections on which the server did not wait for its standby. None of them is used again. */
  readonly #warned = new WeakSet<ClientBase>();
  readonly #mayLag: boolean;

  /**
   * @param size connections kept;
   * @param overflow more under load, closed after 10 s without work
   */
  constructor(options: ConnectionOptions, size: number, overflow: number, onProblem: (message: string) => void) {
    this.#statementMs = options.statementMs;
    this.#mayLag = options.mayLag === true;
    this.#pool = new Pool({
      ...connectionConfig(options),
      min: size,
      max: size + overflow,
      idleTimeoutMillis: 10_000,
    });
    this.#pool.on('error', (error) => onProblem(`PostgreSQL closed an idle connection: ${error.message}`));
    this.#pool.on('connect', (client) => {
      // Between checkout and release the pool does not listen for errors. The running query gets
      // them anyway.
      client.on('error', () => {});
      client.on('notice', (notice) => {
        if (isDoubtful(notice)) this.#warned.add(client);
      });
      this.#clients.add(client);
    });
    this.#pool.on('remove', (client) => this.#clients.delete(client));
  }

  readonly run: Run = async <Row>(tenant: TenantId | '*', ...statements: readonly Statement[]) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return (await this.#fly(tenant, statements)) as readonly Row[];
      } catch (error) {
        if (attempt > conflictRetries || !isConflict(error)) throw asPortError(error);
        await delay(Math.random() * 10 * attempt);
      }
    }
  };

  /**
   * Runs one reading statement without a transaction. It sees every commit whose reply came before
   * the call. No tenant is set. The statement itself must check whether the server is the primary.
   */
  readonly read = async <Row>(statement: Statement): Promise<readonly Row[]> => {
    try {
      return (await this.#ask(statement)) as readonly Row[];
    } catch (error) {
      throw asPortError(error);
    }
  };

  /** Present number of connections, and of transactions that wait for one. */
  get connections(): { readonly total: number; readonly idle: number; readonly waiting: number } {
    const { totalCount, idleCount, waitingCount } = this.#pool;
    return { total: totalCount, idle: idleCount, waiting: waitingCount };
  }

  async close(): Promise<void> {
    await this.#pool.end();
    // The pool does not wait until the connections are closed, and the end of the process must not
    // wait either.
    for (const client of this.#clients) socketOf(client).unref();
  }

  async #ask({ name, text, values }: Statement): Promise<readonly unknown[]> {
    const { client, leftMs } = await this.#connect();
    try {
      const { rows } = await client.query({ name, text, values: [...values], query_timeout: leftMs } as {
        text: string;
      });
      client.release();
      return rows;
    } catch (error) {
      client.release(isUnavailable(error));
      throw error;
    }
  }

  async #fly(tenant: string, statements: readonly Statement[]): Promise<readonly unknown[]> {
    const { client, leftMs } = await this.#connect();
    try {
      const replies = await fly(client, tenant, statements, leftMs);
      if (this.#warned.has(client)) throw new Error('The server has warned: the commit may not survive a failover');
      if (replies[0]?.rows[0].is_standby !== false && !this.#mayLag) throw new Error('The server is a standby');
      client.release();
      return replies.at(-1)?.rows ?? [];
    } catch (error) {
      // After an error that the server has reported and rolled back, the connection is sound.
      client.release(isUnavailable(error) && !isConflict(error));
      throw error;
    }
  }

  /** A connection, and the remaining time for the operation, milliseconds. */
  async #connect(): Promise<{ readonly client: PoolClient; readonly leftMs: number }> {
    const askedMs = performance.now();
    const client = await this.#pool.connect();
    return { client, leftMs: Math.max(1, this.#statementMs - (performance.now() - askedMs)) };
  }
}
