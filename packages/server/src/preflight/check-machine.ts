/**
 * Whether the machine is large enough for the configuration.
 * @module
 */
import { pollMs } from '@catalytic/guard/journal-reader';
import type { Config } from '../config/options.ts';
import { type Finding, ok } from './finding.ts';
import type { DataFolder, Machine } from './read-machine.ts';

/** The oldest Node whose type stripping and `node:sqlite` are enough. */
const nodeMajorMin = 24;
/**
 * Files that are neither clients nor the database: the log, the listener, the hashing process,
 * modules while they load.
 */
const filesSpare = 100;
const mib = 2 ** 20;
/** Memory that hashing one password takes. */
const laneBytes = 19 * mib;
/**
 * Reads of the journal that must fit into a lease, so that one slow and one lost read cost no
 * token.
 */
const readsPerLease = 4;

const checkNode = ({ nodeVersion }: Machine): Finding => {
  if (Number.parseInt(nodeVersion, 10) >= nodeMajorMin) return ok(`Node ${nodeVersion}`);
  const text = `Node ${nodeVersion} is too old`;
  return { level: 'failure', text, remedy: `install Node ${nodeMajorMin} or newer: https://nodejs.org/` };
};

/**
 * Files of one process other than its clients' connections: its share of the pool, and everything
 * else.
 */
export const filesBesideClients = ({ profile, databasePoolSize, databaseMaxOverflow, workers }: Config): number =>
  filesSpare + (profile.hasConnectionPool ? Math.ceil((databasePoolSize + databaseMaxOverflow) / workers) : 0);

/** MAX_CONNECTIONS, cut down to what the open files allow. */
export const fittingConnections = (config: Config, { filesMax = Number.POSITIVE_INFINITY }: Machine): number =>
  Math.max(1, Math.min(config.maxConnections, filesMax - filesBesideClients(config)));

/**
 * Whether the open files suffice for the connections of clients and database that one process may
 * hold.
 */
export const checkFiles = (config: Config, machine: Machine): Finding => {
  const { filesMax } = machine;
  const { maxConnections } = config;
  const needed = maxConnections + filesBesideClients(config);
  if (filesMax === undefined) return ok('This system does not say how many files may be open');
  if (filesMax >= needed) return ok(`${filesMax} open files allowed, ${needed} needed`);
  return {
    level: 'warning',
    text: `${filesMax} open files are allowed, MAX_CONNECTIONS=${maxConnections} needs ${needed}: a process takes ${fittingConnections(config, machine)} connections`,
    remedy: `run "ulimit -n ${needed}" before the start (LimitNOFILE=${needed} in a systemd unit), or lower MAX_CONNECTIONS`,
  };
};

/** Whether the kernel allows the configured backlog. */
export const checkBacklog = ({ backlog }: Config, { backlogMax }: Machine): Finding => {
  if (backlogMax === undefined) return ok('This system does not say how long a backlog may be');
  if (backlogMax >= backlog) return ok(`net.core.somaxconn is ${backlogMax}, BACKLOG ${backlog}`);
  return {
    level: 'warning',
    text: `net.core.somaxconn caps the backlog at ${backlogMax}, BACKLOG asks for ${backlog}`,
    remedy: `run "sysctl -w net.core.somaxconn=${backlog}"`,
  };
};

const checkMemory = ({ hashLanes }: Config, { memoryBytes }: Machine): Finding => {
  const needed = hashLanes * laneBytes;
  const seen = `${Math.floor(memoryBytes / mib)} MiB of memory, ${hashLanes} hash lanes take ${needed / mib}`;
  // The other half is for connections, caches and the database.
  const fitting = Math.floor(memoryBytes / 2 / laneBytes);
  if (fitting >= hashLanes) return ok(seen);
  const level = needed > memoryBytes ? 'failure' : 'warning';
  return { level, text: `${seen}: more than half`, remedy: `set HASH_LANES=${Math.max(1, fitting)}` };
};

const octal = (mode: number): string => mode.toString(8);

const checkFolder = ({ profile, masterKey }: Config, folder: DataFolder): Finding => {
  const { path, mode, keyMode = 0 } = folder;
  if (!profile.commitsToDataFolder && masterKey !== undefined)
    return ok('Nothing is kept in DATA_DIR: database and master key are elsewhere');
  if (!folder.exists) return ok(`DATA_DIR ${path} will be made`);
  if (!folder.isWritable)
    return { level: 'failure', text: `DATA_DIR ${path} is not writable`, remedy: `run "chown $(id -u) ${path}"` };
  if ((keyMode & 0o007) !== 0)
    return {
      level: 'failure',
      text: `${path}/master.key has mode ${octal(keyMode)}: others can read it`,
      remedy: `run "chmod 600 ${path}/master.key"`,
    };
  if (folder.isMoved && profile.commitsToDataFolder)
    return {
      level: 'failure',
      text: `The database of DATA_DIR ${path} was moved to PostgreSQL`,
      remedy: 'set DATABASE_URL',
    };
  if ((mode & 0o007) !== 0)
    return {
      level: 'warning',
      text: `DATA_DIR ${path} has mode ${octal(mode)}: others can look into it`,
      remedy: `run "chmod 700 ${path}"`,
    };
  return ok(`DATA_DIR ${path} is closed to other users`);
};

/**
 * Whether the lease is long enough for the time between two reads of the journal.
 * @param members processes that accept tokens
 */
export const checkLease = ({ revocationLeaseMs }: Config, members: number): Finding => {
  const needed = readsPerLease * pollMs(members);
  const text = `REVOCATION_LEASE_MS is ${revocationLeaseMs}, the journal is read every ${pollMs(members)} ms`;
  if (revocationLeaseMs >= needed) return ok(text);
  return { level: 'warning', text, remedy: `set REVOCATION_LEASE_MS=${needed} or more in every process` };
};

/** Everything about the machine. */
export const checkMachine = (config: Config, machine: Machine, folder: DataFolder): readonly Finding[] => [
  checkNode(machine),
  checkFiles(config, machine),
  checkBacklog(config, machine),
  checkMemory(config, machine),
  checkFolder(config, folder),
];
