/**
 * The database of a service under test, and the role that owns it.
 * @module
 */
import { createRoleStatement } from '../../../packages/server/src/stores/postgres/preflight.ts';

/** Name of the database, of the role that owns it, and of the role's password. */
export const serviceDatabase = 'catalytic';

/** Creates the role and an empty database. @param sql runs SQL as the superuser, in another database */
export const createServiceDatabase = async (sql: (text: string) => Promise<unknown>): Promise<void> => {
  await sql(`${createRoleStatement(serviceDatabase)} PASSWORD '${serviceDatabase}'`);
  await sql(`create database ${serviceDatabase} owner ${serviceDatabase}`);
};

/** The database as its owner reaches it. */
export const serviceDatabaseUrl = (port: number, host = '127.0.0.1'): string =>
  `postgres://${serviceDatabase}:${serviceDatabase}@${host}:${port}/${serviceDatabase}`;
