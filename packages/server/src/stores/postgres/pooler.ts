/**
 * Detects poolers between the service and PostgreSQL. A pooler that runs each transaction, or each
 * statement, on another connection of the server breaks prepared statements, and the lock that
 * marks a database as served.
 * @module
 */
import type { Client } from 'pg';

const remedy =
  'connect to PostgreSQL itself, or to a pooler in session mode (PgBouncer: pool_mode = session, Supavisor and RDS Proxy likewise)';

/** The setting that identifies a connection of the server. Nothing else reads it. */
const mark = 'catalytic.pooler';

/**
 * Makes sure that a connection leads to the same connection of the server for its whole life: a
 * setting made on it must still be there while another connection holds a transaction open.
 * @param client a connection to the server that nothing else uses
 * @param other opens another connection
 * @throws when a pooler changes the connection
 */
export const refusePooledTransactions = async (client: Client, other: () => Promise<Client>): Promise<void> => {
  await client.query(`select set_config('${mark}', 'here', false)`);
  const holder = await other();
  try {
    // A pooler would hand out the connection that was used last. The open transaction occupies it.
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
