/**
 * What stands between the service and PostgreSQL. A pooler that gives each transaction, or each statement, another connection of the server
 * breaks what the service relies on: prepared statements, and the lock that says that a process serves.
 * @module
 */
import type { Client } from 'pg';

const remedy =
  'connect to PostgreSQL itself, or to a pooler in session mode (PgBouncer: pool_mode = session, Supavisor and RDS Proxy likewise)';

/** The setting by which a connection of the server is known again; nothing else reads it. */
const mark = 'catalytic.pooler';

/**
 * Makes sure that a connection leads to one connection of the server for as long as it lasts: while another one holds a transaction open, what
 * was set here must still be set.
 * @param client a connection to the server that nothing else uses
 * @param other opens another one
 * @throws when it does not
 */
export const refusePooledTransactions = async (client: Client, other: () => Promise<Client>): Promise<void> => {
  await client.query(`select set_config('${mark}', 'here', false)`);
  const holder = await other();
  try {
    // A pooler hands out the connection that was used last: the open transaction keeps it.
    await holder.query('begin').catch((error: unknown) => {
      throw new Error(`Cannot use the pooler in front of PostgreSQL: it forbids transactions; ${remedy}`, {
        cause: error,
      });
    });
    const { rows } = await client.query<{ mark: string | null }>(`select current_setting('${mark}', true) as mark`);
    if (rows[0]?.mark !== 'here')
      throw new Error(
        `Cannot use the pooler in front of PostgreSQL: it gives each transaction another connection; ${remedy}`,
      );
  } finally {
    await holder.end();
  }
};
