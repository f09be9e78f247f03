/**
 * `catalytic doctor`: examines the machine, the database and Redis, and reports what would go
 * wrong.
 * @module
 */
import { Command, Option as Flag } from 'commander';
import { findMasterKey } from '../config/master-key.ts';
import type { Config } from '../config/options.ts';
import { findRedis, glanceAtDatabase, inspectDatabase, inspectPostgres, inspectRedis } from '../deployment.ts';
import { Secret } from '../features/secrets/secret.ts';
import { opensKeys } from '../features/signing-keys/check-master-key.ts';
import { equalSettings, measureHashing } from '../hashing/measure-hashing.ts';
import { busyRemark, checkFlush, checkRoom, limitLine, limitsInUsers } from '../preflight/capacity.ts';
import { checkCertificate } from '../preflight/check-certificate.ts';
import { checkDatabase, checkReplica } from '../preflight/check-database.ts';
import { checkExposure } from '../preflight/check-exposure.ts';
import { checkLease, checkMachine } from '../preflight/check-machine.ts';
import { checkPorts } from '../preflight/check-port.ts';
import { checkNoRedis, checkRedis, lostRedis } from '../preflight/check-redis.ts';
import { type Finding, lineOf, ok } from '../preflight/finding.ts';
import { freeBytes, measureFlush } from '../preflight/measure-flush.ts';
import { readDataFolder, readMachine } from '../preflight/read-machine.ts';
import { watchOthers } from '../preflight/watch-others.ts';
import { addConfigFlags, configFrom } from './config-flags.ts';
import { addHelpExamples } from './help-examples.ts';

const exitCodes = { ok: 0, warning: 1, failure: 2 } as const;

const unreachable = (level: 'warning' | 'failure', what: string, error: unknown, remedy: string): Finding => {
  // A host with several addresses fails with one error for each address; the error around them has no message.
  const { message, code } = error as NodeJS.ErrnoException;
  return { level, text: `${what} cannot be used: ${message || code}`, remedy };
};

const examineDatabase = async (config: Config): Promise<readonly Finding[]> => {
  const { workers, revocationLeaseMs } = config;
  try {
    const database = await inspectDatabase(config);
    if (database === undefined) return [checkLease(config, 1)];
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

/** Whether the database file is intact, and whether the master key opens its signing keys. */
const examineDataFolder = ({ profile, dataDir, masterKey }: Config, isWell: boolean): readonly Finding[] => {
  if (!profile.commitsToDataFolder || !isWell) return [];
  try {
    const keys = glanceAtDatabase(dataDir);
    if (keys === undefined) return [];
    const key = findMasterKey(masterKey, dataDir);
    const whole = ok('The database in DATA_DIR is whole');
    if (keys.length === 0) return [whole];
    if (key !== undefined && opensKeys(new Secret(key), keys, Date.now()))
      return [whole, ok('The master key opens its signing keys')];
    const what = key === undefined ? 'The master key is missing' : 'The master key is not the one of its signing keys';
    const remedy =
      'put master.key back (or CATALYTIC_MASTER_KEY); if it is lost, stop the service and run "catalytic after-restore --new-master-key"';
    return [whole, { level: 'failure', text: `${what}: the next start will fail`, remedy }];
  } catch (error) {
    return [{ level: 'failure', text: `DATA_DIR cannot be served: ${(error as Error).message}` }];
  }
};

/**
 * How long each of the five settings is measured, seconds: together they stay below 5 s, the limit
 * of a whole run.
 */
const measureSeconds = 0.4;

interface Measures {
  readonly findings: readonly Finding[];
  readonly hashesPerSecond: number;
  /** For `--json`. */
  readonly told: object;
}

const round = (value: number): number => Number(value.toFixed(2));

const measure = async (config: Config): Promise<Measures> => {
  const { hashLanes, profile, dataDir } = config;
  const othersPercent = watchOthers();
  const rates = await measureHashing(hashLanes, equalSettings, measureSeconds, (message) =>
    process.stderr.write(`${message}\n`),
  );
  const busyPercent = othersPercent();
  const settings = equalSettings.map(({ memoryKib, passes, parallelism }, index) => ({
    setting: `m=${memoryKib},t=${passes},p=${parallelism}`,
    per_second: round(rates[index]?.perSecond ?? 0),
  }));
  const [own] = settings;
  const quickest = settings.reduce((best, one) => (one.per_second > best.per_second ? one : best));
  const list = settings.map(({ setting, per_second }) => `${setting} ${per_second}/s`).join(', ');
  const findings = [
    ok(
      `Hash capacity C is ${own?.per_second} passwords/s, for the service's own ${own?.setting} in ${hashLanes} lanes${busyRemark(busyPercent)}`,
    ),
    ok(
      `Of OWASP's equally strong argon2id settings ${quickest.setting} is the quickest here: ${list}; nothing has to be done, the service's own is one of them`,
    ),
  ];
  const hashing = {
    lanes: hashLanes,
    capacity: own?.per_second,
    settings,
    quickest: quickest.setting,
    others_percent: busyPercent === undefined ? null : round(busyPercent),
  };
  const hashesPerSecond = rates[0]?.perSecond ?? 0;
  // A database server commits to its own disk.
  if (!profile.commitsToDataFolder) return { findings, hashesPerSecond, told: { hashing } };
  try {
    const disk = measureFlush(dataDir);
    const told = { flushes: disk.flushes, median: round(disk.flushMsMedian), p99: round(disk.flushMsP99) };
    return { findings: [...findings, checkFlush(disk)], hashesPerSecond, told: { hashing, flush_ms: told } };
  } catch (error) {
    const text = `The disk of DATA_DIR takes no file: ${(error as Error).message}`;
    return {
      findings: [...findings, { level: 'failure', text, remedy: 'make room on it, or make it writable' }],
      hashesPerSecond,
      told: { hashing },
    };
  }
};

interface Options {
  /** Commander's way to say `--no-measure`. */
  readonly measure: boolean;
  readonly json?: boolean;
}

const examine = async (options: Options, config: Config): Promise<void> => {
  const replicas = config.databaseReplicaUrls?.split(',') ?? [];
  const machine = readMachine();
  const folder = readDataFolder(config.dataDir);
  const measures = options.measure ? await measure(config) : undefined;
  const limits = limitsInUsers(config, machine, measures?.hashesPerSecond);
  const findings = [
    ...checkMachine(config, machine, folder),
    ...checkExposure(config),
    ...(await checkPorts(config)),
    ...checkCertificate(config, Date.now()),
    ...(config.profile.commitsToDataFolder ? [checkRoom(freeBytes(config.dataDir))] : []),
    ...examineDataFolder(config, folder.exists && folder.isWritable && ((folder.keyMode ?? 0) & 0o007) === 0),
    ...(await examineDatabase(config)),
    ...(await examineRedis(config)),
    ...(await Promise.all(replicas.map((url, index) => examineReplica(url, index + 1)))),
    ...(measures?.findings ?? []),
    ...limits.map((limit) => ok(limitLine(limit))),
  ];
  const exitCode = Math.max(...findings.map(({ level }) => exitCodes[level]));
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify({ exit_code: exitCode, findings, limits, ...measures?.told }, null, 2)}\n`
      : findings.map((finding) => `${finding.level.padEnd(7)}  ${lineOf(finding)}\n`).join(''),
  );
  process.exitCode = exitCode;
};

/** The command. */
export const doctorCommand = (): Command => {
  const command = new Command('doctor')
    .summary('is this machine large enough, what would break, and how many users does it carry?')
    .description(
      'Examine the machine and DATA_DIR, and PostgreSQL and Redis if they are configured, and measure hashing and the disk for about 3 s. Prints a line for each check with its remedy, and what each limit means in users. Changes nothing. Measure while nothing else runs; a line says when something did.',
    )
    .addOption(new Flag('--no-measure', 'do not measure'))
    .addOption(new Flag('--json', 'print it as JSON'))
    .action((options: Options, self: Command) => examine(options, configFrom(self)));
  addHelpExamples(
    command,
    [
      ['doctor', 'examine and measure'],
      ['doctor --no-measure --json', 'for a script'],
      ['doctor --max-connections 50000', 'check other settings than those in use'],
    ],
    [
      [0, 'all is well'],
      [1, 'something could be better'],
      [2, 'something cannot work (or the command line is wrong)'],
    ],
  );
  return addConfigFlags(command);
};
