/**
 * Transactions over a pool of connections. Each is sent to the server as one pipeline and answered
 * in one.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { TenantId } from '@catalytic/protocol/ids';
import type { Client, QueryResult } from 'pg';
import { type ConnectionOptions, Connector, isDoubtful, numbers } from './connection.ts';
import { Flight, type Statement } from './flight.ts';
import { Pool, type Pooled } from './pool.ts';
import { asPortError, isConflict, isUnavailable, NoPrimary, sqlState } from './unavailable.ts';

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

// The first statement of every transaction. A commit that can be lost must never be visible,
// whatever role, database or URL say. A standby must be recognised, because it may be stale.
const prelude = statement(
  'prelude',
  `select set_config('catalytic.tenant', $1, true), set_config('synchronous_commit', 'on', true),
          pg_is_in_recovery() as is_standby`,
);

const conflictRetries = 3;

/** Sends the statements of one transaction as a pipeline. @returns the replies, in order */
const fly = async (client: Client, tenant: string, statements: readonly Statement[], deadlineMs: number) =>
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
  /** Connections on which the server did not wait for its standby. None of them is used again. */
  readonly #warned = new WeakSet<Client>();
  readonly #mayLag: boolean;

  /**
   * @param size connections kept;
   * @param overflow more under load, closed after 10 s without work
   */
  constructor(options: ConnectionOptions, size: number, overflow: number, onProblem: (message: string) => void) {
    this.#statementMs = options.statementMs;
    this.#mayLag = options.mayLag === true;
    const connector = new Connector(options);
    const open = async (): Promise<Client> => {
      const client = await connector.connect();
      client.on('notice', (notice) => {
        if (isDoubtful(notice)) this.#warned.add(client);
      });
      return client;
    };
    this.#pool = new Pool({ open, size, max: size + overflow, waitMs: options.statementMs, onProblem });
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
    return this.#pool.counts;
  }

  /** See {@link Pool.condemnSilentSince}. */
  condemnSilentSince(sinceMs: number): void {
    this.#pool.condemnSilentSince(sinceMs);
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  #ask({ name, text, values }: Statement): Promise<readonly unknown[]> {
    return this.#with(async ({ client }, leftMs) => {
      const query = { name, text, values: [...values], query_timeout: leftMs };
      return (await client.query(query)).rows;
    });
  }

  #fly(tenant: string, statements: readonly Statement[]): Promise<readonly unknown[]> {
    return this.#with(async ({ client }, leftMs) => {
      const replies = await fly(client, tenant, statements, leftMs);
      if (this.#warned.has(client)) throw new Error('The server has warned: the commit may not survive a failover');
      if (replies[0]?.rows[0].is_standby !== false && !this.#mayLag) throw new NoPrimary();
      return replies.at(-1)?.rows ?? [];
    });
  }

  /** Does the work on a connection. Its deadline counts from this call. */
  async #with<Result>(work: (pooled: Pooled, leftMs: number) => Promise<Result>): Promise<Result> {
    const askedMs = performance.now();
    const pooled = await this.#pool.acquire();
    const sentMs = performance.now();
    try {
      const result = await work(pooled, Math.max(1, this.#statementMs - (sentMs - askedMs)));
      this.#pool.release(pooled);
      return result;
    } catch (error) {
      // After an error that the server has reported and rolled back, the connection is sound.
      if (!isUnavailable(error) || isConflict(error)) this.#pool.release(pooled);
      else this.#pool.discard(pooled);
      // No answer, or that of a standby: the connections that are older lead to the same server.
      if (isUnavailable(error) && sqlState(error) === undefined) this.#pool.condemnSilentSince(sentMs);
      throw error;
    }
  }
}
