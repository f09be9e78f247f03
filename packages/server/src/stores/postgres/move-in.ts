/**
 * Moves the rows of another engine into an empty PostgreSQL database, in one transaction.
 * @module
 */
import type { Client } from 'pg';
import { Connector, ownSettings } from './connection.ts';
import { migrate } from './migrate.ts';
import { preflight } from './preflight.ts';
import { isUnavailable } from './unavailable.ts';

/**
 * Longest time between two statements of the transaction, milliseconds. A statement itself has no
 * limit.
 */
const idleMsMax = 60_000;

/** Receives the rows. */
export interface MovingTarget {
  /** Inserts rows. Every value is JSON that PostgreSQL reads as the type of its column. */
  insert(table: string, columns: readonly string[], rows: readonly object[]): Promise<void>;
  /**
   * Continues the history of the other database: its generation plus one. Entries are kept for the
   * longest token lifetime of both databases, counted from the newest token of both.
   */
  continueHistory(generation: number, tokenSecondsMax: number, newestIatMs: number): Promise<void>;
}

/**
 * It is unknown whether the transaction was committed, because the server went away during the
 * commit.
 */
export class UnknownCommit extends Error {
  override readonly name = 'UnknownCommit';
}

const refuseUnlessEmpty = async (client: Client): Promise<void> => {
  // A server that starts at this moment waits here, and then finds everything.
  await client.query('lock table tenant, account, signing_key in share row exclusive mode');
  const { rows } = await client.query<{ is_used: boolean }>(
    `select exists (select 1 from tenant) or exists (select 1 from account) or exists (select 1 from signing_key) as is_used`,
  );
  if (rows[0]?.is_used !== false)
    throw new Error('it is in use already: it has a tenant, an account or a signing key; give an empty database');
};

const targetOn = (client: Client): MovingTarget => ({
  insert: async (table, columns, rows) => {
    const list = columns.join(', ');
    await client.query(
      `insert into ${table} (${list}) select ${list} from json_populate_recordset(null::${table}, $1::json)`,
      [JSON.stringify(rows)],
    );
  },
  continueHistory: async (generation, tokenSecondsMax, newestIatMs) => {
    await client.query(
      `update deployment set generation = greatest(generation, $1) + 1, token_seconds_max = greatest(token_seconds_max, $2),
              newest_iat = greatest(newest_iat, $3)`,
      [generation, tokenSecondsMax, newestIatMs],
    );
  },
});

const commit = async (client: Client): Promise<void> => {
  const { command } = await client.query('commit').catch((error: unknown) => {
    // A server that is shut down while it waits for its standbys reports an error after it has
    // committed.
    if (!isUnavailable(error)) throw error;
    throw new UnknownCommit('it is unknown whether PostgreSQL has committed', { cause: error });
  });
  if (command !== 'COMMIT') throw new Error('the transaction was rolled back instead of committed');
};

/**
 * Migrates the schema, then fills the database in one transaction. After a failure the database is
 * empty.
 * @param fill inserts the rows
 * @param beforeCommit the last step before the commit
 * @throws {UnknownCommit} when the server went away during the commit
 * @throws when the database is in use, or refuses a row
 */
export const moveIn = async (
  url: string,
  onProblem: (message: string) => void,
  fill: (target: MovingTarget) => Promise<void>,
  beforeCommit: () => void,
): Promise<void> => {
  const settings = { ...ownSettings(idleMsMax), statement_timeout: 0 };
  const client = await new Connector({ url, statementMs: idleMsMax }, { settings }).connect();
  try {
    await preflight(client, { machines: 1, workers: 1, poolSize: 1, overflow: 0 }, { onProblem });
    await migrate(client);
    await client.query('begin');
    await client.query(
      `select set_config('catalytic.tenant', '*', true), set_config('synchronous_commit', 'on', true)`,
    );
    await refuseUnlessEmpty(client);
    await fill(targetOn(client));
    beforeCommit();
    await commit(client);
  } finally {
    // Ends an open transaction as well.
    await client.end();
  }
};
