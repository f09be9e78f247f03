/**
 * A standby of a PostgreSQL under test.
 * @module
 */
import { type Postgres, type PostgresOptions, startPostgres } from '../postgres.ts';

/**
 * Starts a standby that follows a server by streaming. It begins as a copy of the server, which is stopped for that and started again.
 * @param settings must be those of the server where PostgreSQL asks for it, such as `max_connections`
 */
export const startStandby = async (
  primary: Postgres,
  settings: PostgresOptions['settings'] = {},
): Promise<Postgres> => {
  await primary.stop();
  const standby = await startPostgres({ settings, standbyOf: primary });
  await primary.start();
  return standby;
};

/** A `DATABASE_URL` that names a standby behind its primary. */
export const withStandby = (url: string, { port }: Postgres): string =>
  url.replace(/(?<=@)[^/]+/, (host) => `${host},127.0.0.1:${port}`);
