/**
 * Whether the PostgreSQL database is large enough for the configuration, and whether it keeps what
 * it acknowledges.
 * @module
 */
import { clockSkewSeconds } from '@catalytic/protocol/journal';
import type { Config } from '../config/options.ts';
import { connectionBudget, connectionRemedy } from '../stores/postgres/connection-budget.ts';
import type { Database } from '../stores/postgres/inspect.ts';
import { type Finding, ok } from './finding.ts';

const checkVersion = ({ version, versionMin, isStandby }: Database): Finding => {
  if (version < versionMin) {
    const text = `PostgreSQL ${version} is too old`;
    return { level: 'failure', text, remedy: `upgrade it to ${versionMin} or newer` };
  }
  if (isStandby)
    return {
      level: 'failure',
      text: 'The server is a standby, which takes no writes',
      remedy: 'name the primary in DATABASE_URL',
    };
  return ok(`PostgreSQL ${version} answers`);
};

const checkRole = ({ role, isAbovePolicies, statements }: Database): Finding => {
  if (!isAbovePolicies) return ok(`Role ${role} obeys row-level security`);
  return {
    level: 'warning',
    text: `Role ${role} bypasses row-level security, the second lock between tenants`,
    remedy: `connect as a dedicated role, which must own the database and its tables: "${statements.createRole} PASSWORD '…'", "${statements.ownDatabase}", and for each table there is "${statements.ownTable}"`,
  };
};

const checkOwner = ({ role, tableOwner, mayMigrate, statements }: Database): Finding => {
  if (mayMigrate)
    return ok(tableOwner === null ? `Role ${role} may make the tables` : `The tables belong to ${tableOwner}`);
  if (tableOwner === null) {
    const text = `Role ${role} may not make the tables`;
    return { level: 'failure', text, remedy: `run "${statements.giveDatabase}"` };
  }
  return {
    level: 'failure',
    text: `The tables belong to ${tableOwner}, so that ${role} cannot bring them up to date`,
    remedy: `run for each table "${statements.giveTable}"`,
  };
};

const checkEncoding = ({ encoding, encodingRemedy: remedy }: Database): Finding => {
  if (remedy === undefined) return ok(`The encoding of the database is ${encoding}`);
  const text = `The encoding of the database is ${encoding}, which cannot hold every text`;
  return { level: 'failure', text, remedy };
};

const checkPooler = ({ poolerFault, isPooled }: Database): readonly Finding[] => {
  if (poolerFault !== undefined) return [{ level: 'failure', text: poolerFault }];
  if (!isPooled) return [];
  return [ok('A pooler in session mode stands in front of PostgreSQL: its own limits must hold the connections below')];
};

const checkConnections = (config: Config, { connectionsAllowed, connectionsReserved }: Database): Finding => {
  const { databaseMachines: machines, workers, databasePoolSize: poolSize, databaseMaxOverflow: overflow } = config;
  const budget = connectionBudget({ machines, workers, poolSize, overflow }, connectionsAllowed);
  if (!budget.isCut) return ok(budget.arithmetic);
  return {
    level: 'warning',
    text: `${budget.arithmetic}, fewer than DATABASE_POOL_SIZE asks for`,
    remedy: connectionRemedy(budget.needed + connectionsReserved),
  };
};

/** The settings that make a commit durable, and the cost of each while it is off. */
const durability = [
  [
    'synchronousCommit',
    'synchronous_commit',
    'the service asks for "on" in each of its transactions, but commits of other programs may be lost',
  ],
  ['fsync', 'fsync', 'a power failure can lose what was revoked, or the whole database'],
  ['fullPageWrites', 'full_page_writes', 'a power failure can tear a page and lose what was revoked'],
] as const;

const checkDurability = (database: Database): readonly Finding[] =>
  durability.map(([field, name, cost]) => {
    const value = database[field];
    // `local` and `remote_write` do not wait for a standby's disk.
    if (value !== 'off' && value !== 'local' && value !== 'remote_write') return ok(`${name} is ${value}`);
    return {
      level: 'warning',
      text: `${name} is ${value}: ${cost}`,
      remedy: `run "ALTER SYSTEM SET ${name} = on" and "SELECT pg_reload_conf()"`,
    };
  });

const checkStandbys = ({ standbys, standbyNames, statements }: Database): Finding => {
  if (standbys.length === 0) return ok('No standby is connected');
  if (standbys.includes(null))
    return {
      level: 'warning',
      text: 'Standbys are connected, and the role may not see whether they are synchronous',
      remedy: `run "${statements.seeStandbys}"`,
    };
  const late = standbys.filter((state) => state !== 'sync' && state !== 'quorum').length;
  if (late === 0) return ok(`${standbys.length} synchronous standbys (${standbyNames})`);
  return {
    level: 'warning',
    text: `${late} of ${standbys.length} standbys are asynchronous: what was revoked last does not survive a failover to one of them`,
    remedy: `run "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'" with the names you fail over to, and "SELECT pg_reload_conf()"`,
  };
};

/**
 * Differences of clocks above it are reported, seconds: clocks under NTP differ by milliseconds.
 */
const clockWarningSeconds = 2;

const checkClock = ({ clockAheadMs }: Database): Finding => {
  const seconds = Math.abs(clockAheadMs) / 1000;
  if (seconds < clockWarningSeconds) return ok('The clocks of this machine and of the database agree');
  const isTooMuch = seconds > clockSkewSeconds;
  return {
    level: isTooMuch ? 'failure' : 'warning',
    text: `The clock of this machine is ${seconds.toFixed(0)} s ${clockAheadMs > 0 ? 'ahead of' : 'behind'} the clock of the database: ${isTooMuch ? 'a service here accepts no token' : `above ${clockSkewSeconds} s a service here accepts no token`}`,
    remedy: 'set the wrong clock right ("timedatectl", "chronyc tracking")',
  };
};

/** Everything about the database. */
export const checkDatabase = (config: Config, database: Database): readonly Finding[] => [
  checkVersion(database),
  checkEncoding(database),
  ...checkPooler(database),
  checkRole(database),
  checkOwner(database),
  checkConnections(config, database),
  ...checkDurability(database),
  checkStandbys(database),
  checkClock(database),
];

/** Whether a replica can be asked. @param number counted from 1 */
export const checkReplica = (number: number, replica: Database): Finding => {
  if (replica.tableOwner !== null) return ok(`Replica ${number} answers`);
  return {
    level: 'warning',
    text: `Replica ${number} has no tables of the service`,
    remedy: 'name a replica of the same database in DATABASE_REPLICA_URLS',
  };
};
