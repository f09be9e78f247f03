/**
 * The faults of the scenario `outage`: each declared part is broken in turn, with quiet between.
 *
 * Pure, so that the same command line gives the same faults at the same times.
 * @module
 */
import { flushEnding, startEnding } from './outages.ts';

/** Declared processes and commands that outages can break. */
export interface Breakable {
  readonly processes: ReadonlySet<string>;
  readonly commands: ReadonlySet<string>;
}

/** The times a plan has to fit. */
export interface OutageTimes {
  readonly durationSeconds: number;
  /** Until all users have been started: nothing is broken before. */
  readonly rampSeconds: number;
  /** How long a process of the target accepts tokens without the database. */
  readonly leaseSeconds: number;
}

/** A plan. */
export interface OutagePlan {
  /** As `--fault` takes them. */
  readonly faults: readonly string[];
  /** Outages that are missing for want of a declaration, a phrase each. */
  readonly leftOut: readonly string[];
}

/**
 * Parts of the time that is not bound to the lease: the quiet before, each outage, and the quiet
 * after each.
 */
const beforeParts = 3;
const outageParts = 2;
const quietParts = 3;
/**
 * Shortest part, seconds: a recovery is seen in two seconds without a slow sign-out, and it takes
 * one before and some room.
 */
const partSecondsMin = 1;
/** Pauses of PostgreSQL, in leases: one that the checks of tokens survive, one that they do not. */
const shortPauseLeases = 0.6;
const longPauseLeases = 1.6;

/** An example for a command line that declares nothing. */
export const outageExample =
  '--process redis=redis.pid --command "redis-start=redis-server --port 6379 --pidfile $PWD/redis.pid --daemonize yes" --command "redis-flush=redis-cli flushall"';

interface Part {
  readonly breaks: string;
  /** `undefined`: it has healed when it is done. */
  readonly heals?: string;
  /** How long it lasts, where that is not its share of the run. */
  readonly seconds?: number;
  /** For the line about parts that were left out. */
  readonly what: string;
  readonly needs: readonly string[];
}

const partsOf = (leaseSeconds: number): readonly Part[] => {
  const process = (name: string): string => `--process ${name}=…`;
  const command = (name: string): string => `--command "${name}=…"`;
  const pause = (name: string, what: string, seconds?: number): Part => ({
    breaks: `${name}:pause`,
    heals: `${name}:resume`,
    ...(seconds === undefined ? {} : { seconds }),
    what,
    needs: [process(name)],
  });
  const kill = (name: string): Part => ({
    breaks: `${name}:kill`,
    heals: `${name}${startEnding}:run`,
    what: `kill ${name}`,
    needs: [process(name), command(`${name}${startEnding}`)],
  });
  const flush = `redis${flushEnding}`;
  // Killed after its pauses: a process that was declared by its number has that number until then.
  return [
    pause('redis', 'pause redis'),
    kill('redis'),
    { breaks: `${flush}:run`, what: 'flush redis', needs: [command(flush)] },
    pause('postgres', 'pause postgres for less than the lease', shortPauseLeases * leaseSeconds),
    pause('postgres', 'pause postgres for longer than the lease', longPauseLeases * leaseSeconds),
    kill('postgres'),
  ];
};

/** The needs of a part that were not declared. */
const missing = ({ needs }: Part, { processes, commands }: Breakable): readonly string[] => {
  const declared = new Set([
    ...[...processes].map((name) => `--process ${name}=…`),
    ...[...commands].map((name) => `--command "${name}=…"`),
  ]);
  return needs.filter((need) => !declared.has(need));
};

const at = (seconds: number): string => `@${Math.round(seconds * 1000)}ms`;

/**
 * Plans the outages of a run.
 * @throws Error when nothing was declared, or when the run is too short
 */
export const planOutages = (declared: Breakable, times: OutageTimes): OutagePlan => {
  const all = partsOf(times.leaseSeconds);
  const parts = all.filter((part) => missing(part, declared).length === 0);
  if (parts.length === 0)
    throw new Error(`outage has nothing to break: declare redis or postgres, for example ${outageExample}`);
  const leftOut = all
    .filter((part) => !parts.includes(part))
    .map((part) => `${part.what} (needs ${missing(part, declared).join(' and ')})`);
  const lastsItsShare = ({ heals, seconds }: Part): boolean => heals !== undefined && seconds === undefined;
  const shares = parts.reduce((sum, part) => sum + quietParts + (lastsItsShare(part) ? outageParts : 0), beforeParts);
  const boundSeconds = parts.reduce((sum, { seconds = 0 }) => sum + seconds, times.rampSeconds);
  const partSeconds = (times.durationSeconds - boundSeconds) / shares;
  if (partSeconds < partSecondsMin)
    throw new Error(
      `outage does not fit into ${times.durationSeconds} s: ${parts.length} outages with quiet between, and ${Number(times.rampSeconds.toFixed(1))} s to start the users, take at least --duration ${Math.ceil(boundSeconds + shares * partSecondsMin)}s`,
    );
  const faults: string[] = [];
  let nowSeconds = times.rampSeconds + beforeParts * partSeconds;
  for (const part of parts) {
    faults.push(`${part.breaks}${at(nowSeconds)}`);
    if (part.heals !== undefined) {
      nowSeconds += part.seconds ?? outageParts * partSeconds;
      faults.push(`${part.heals}${at(nowSeconds)}`);
    }
    nowSeconds += quietParts * partSeconds;
  }
  return { faults, leftOut };
};
