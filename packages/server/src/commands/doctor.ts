/**
 * `catalytic doctor`: looks at the machine, the database and Redis, and says what would go wrong.
 * @module
 */
import { Command } from 'commander';
import { findRedis, inspectPostgres, inspectRedis } from '../app.ts';
import type { Config } from '../config/options.ts';
import { checkCertificate } from '../preflight/check-certificate.ts';
import { checkDatabase, checkReplica } from '../preflight/check-database.ts';
import { checkLease, checkMachine } from '../preflight/check-machine.ts';
import { checkNoRedis, checkRedis, lostRedis } from '../preflight/check-redis.ts';
import { type Finding, lineOf } from '../preflight/finding.ts';
import { readDataFolder, readMachine } from '../preflight/read-machine.ts';
import { addConfigFlags, configFrom } from './config-flags.ts';

const exitCodes = { ok: 0, warning: 1, failure: 2 } as const;

const unreachable = (level: 'warning' | 'failure', what: string, error: unknown, remedy: string): Finding => {
  // A host with several addresses fails with one error for each, and no message of its own.
  const { message, code } = error as NodeJS.ErrnoException;
  return { level, text: `${what} cannot be used: ${message || code}`, remedy };
};

const examineDatabase = async (config: Config): Promise<readonly Finding[]> => {
  const { databaseUrl, workers, revocationLeaseMs } = config;
  if (databaseUrl === undefined) return [checkLease(config, 1)];
  try {
    const database = await inspectPostgres(databaseUrl);
    return [...checkDatabase(config, database), checkLease(config, Math.max(workers, database.members))];
  } catch (error) {
    const remedy = 'check DATABASE_URL, and that the server runs and lets this machine in (pg_hba.conf)';
    const found = unreachable('failure', 'The database that DATABASE_URL names', error, remedy);
    const cost = `a service that runs checks tokens for ${revocationLeaseMs} ms, then answers 503`;
    return [{ ...found, text: `${found.text}; while it cannot, ${cost}` }];
  }
};

const examineReplica = async (url: string, number: number): Promise<Finding> => {
  try {
    return checkReplica(number, await inspectPostgres(url));
  } catch (error) {
    return unreachable(
      'warning',
      `Replica ${number}`,
      error,
      'check DATABASE_REPLICA_URLS; the primary is asked instead',
    );
  }
};

const examineRedis = async (config: Config): Promise<readonly Finding[]> => {
  const place = findRedis(config);
  if (place === undefined) return checkNoRedis(config);
  try {
    return checkRedis(await inspectRedis(place));
  } catch (error) {
    return [lostRedis(error)];
  }
};

const examine = async (config: Config): Promise<void> => {
  const replicas = config.databaseReplicaUrls?.split(',') ?? [];
  const findings = [
    ...checkMachine(config, readMachine(), readDataFolder(config.dataDir)),
    ...checkCertificate(config, Date.now()),
    ...(await examineDatabase(config)),
    ...(await examineRedis(config)),
    ...(await Promise.all(replicas.map((url, index) => examineReplica(url, index + 1)))),
  ];
  for (const finding of findings) process.stdout.write(`${finding.level.padEnd(7)}  ${lineOf(finding)}\n`);
  process.exitCode = Math.max(...findings.map(({ level }) => exitCodes[level]));
};

/** The command. */
export const doctorCommand = (): Command =>
  addConfigFlags(
    new Command('doctor').description(
      'Look at the machine, and at PostgreSQL and Redis if they are configured: a line for each thing, and what mends it. Changes nothing. Exit codes: 0 all is well, 1 something could be better, 2 something cannot work.',
    ),
  ).action((_options, command: Command) => examine(configFrom(command)));
