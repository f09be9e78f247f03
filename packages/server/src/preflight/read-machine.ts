/**
 * Limits of the machine, as this process sees them.
 * @module
 */
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';

/** The limits. `undefined`: this system does not tell. */
export interface Machine {
  readonly nodeVersion: string;
  /** Open files allowed (RLIMIT_NOFILE, the soft limit, which Node raises to the hard one). */
  readonly filesMax: number | undefined;
  /** net.core.somaxconn: the kernel caps every backlog at it. */
  readonly backlogMax: number | undefined;
  /** Memory of the machine, or the limit of the control group. */
  readonly memoryBytes: number;
}

/** The state of the data folder. */
export interface DataFolder {
  readonly path: string;
  readonly exists: boolean;
  /** Permission bits. */
  readonly mode: number;
  readonly isWritable: boolean;
  /** Permission bits of master.key; `undefined`: there is none. */
  readonly keyMode: number | undefined;
  /** Whether its database was moved to PostgreSQL. */
  readonly isMoved: boolean;
}

interface ReportWithLimits {
  readonly userLimits?: { readonly open_files?: { readonly soft: number | 'unlimited' } };
}

const readFilesMax = (): number | undefined => {
  // The only portable source; `excludeNetwork` saves the look-up of network interfaces.
  Object.assign(process.report, { excludeNetwork: true });
  const soft = (process.report.getReport() as ReportWithLimits).userLimits?.open_files?.soft;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : soft;
};

const readBacklogMax = (): number | undefined => {
  try {
    return Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
  } catch {
    return undefined;
  }
};

/** Reads the limits of the machine. */
export const readMachine = (): Machine => ({
  nodeVersion: process.versions.node,
  filesMax: readFilesMax(),
  backlogMax: readBacklogMax(),
  memoryBytes: Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
});

const modeOf = (path: string): number | undefined => {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode;
  return mode === undefined ? undefined : mode & 0o777;
};

const isWritable = (path: string): boolean => {
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** Reads the state of the data folder. */
export const readDataFolder = (path: string): DataFolder => ({
  path,
  exists: existsSync(path),
  mode: modeOf(path) ?? 0,
  isWritable: isWritable(path),
  keyMode: modeOf(join(path, 'master.key')),
  isMoved: existsSync(join(path, 'catalytic.db.moved')) && !existsSync(join(path, 'catalytic.db')),
});
