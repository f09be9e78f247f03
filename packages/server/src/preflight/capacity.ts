/**
 * What each limit means in users, with the arithmetic.
 * @module
 */
import type { Config } from '../config/options.ts';
import { filesBesideClients } from './check-machine.ts';
import { type Finding, ok } from './finding.ts';
import type { DiskMeasures } from './measure-flush.ts';
import type { Machine } from './read-machine.ts';

/**
 * Logins a second of one user of the scenario `auth`: 5 of 16 steps, one every 2 s in the middle.
 */
const loginsPerUserSecond = 0.156;
/** A slower flush delays every sign-in and sign-out noticeably. */
const flushMsMax = 20;
const mib = 2 ** 20;
/**
 * Below the first limit a database in use lacks room for the next days, below the second for the
 * next minute.
 */
const freeBytesMin = 1024 * mib;
const freeBytesLeast = 16 * mib;

/** One limit, in users. */
export interface Limit {
  readonly name: string;
  readonly users: number;
  /** The calculation of the number. */
  readonly arithmetic: string;
}

const count = (value: number): string => Math.floor(value).toLocaleString('en');

/**
 * Users that each limit allows, the tightest first.
 * @param hashesPerSecond capacity C, if it was measured
 */
export const limitsInUsers = (
  config: Config,
  machine: Machine,
  hashesPerSecond: number | undefined,
): readonly Limit[] => {
  const { maxConnections, workers, backlog, hashLanes } = config;
  const perProcess = Math.min(
    maxConnections,
    (machine.filesMax ?? Number.POSITIVE_INFINITY) - filesBesideClients(config),
  );
  const burst = Math.min(backlog, machine.backlogMax ?? backlog);
  const limits: Limit[] = [
    {
      name: 'connections',
      users: perProcess * workers,
      arithmetic: `min(MAX_CONNECTIONS ${count(maxConnections)}, ${machine.filesMax === undefined ? 'open files unknown' : `${count(machine.filesMax)} open files − ${filesBesideClients(config)}`}) × ${workers} process${workers === 1 ? '' : 'es'}, one connection each`,
    },
    {
      name: 'burst',
      users: burst,
      arithmetic: `min(BACKLOG ${count(backlog)}, net.core.somaxconn ${machine.backlogMax ?? 'unknown'}) connecting at the same moment`,
    },
  ];
  if (hashesPerSecond !== undefined)
    limits.push({
      name: 'hashing',
      users: hashesPerSecond / loginsPerUserSecond,
      arithmetic: `C = ${hashesPerSecond.toFixed(1)} passwords/s with ${hashLanes} lanes ÷ ${loginsPerUserSecond} logins/s of a user of the lab's scenario auth; LOGIN_CACHE_SECONDS lifts it`,
    });
  return limits.sort((one, other) => one.users - other.users);
};

/** A limit as a line. */
export const limitLine = ({ name, users, arithmetic }: Limit): string =>
  `${name}: ${count(users)} users = ${arithmetic}`;

/** Other programs that use less than this share of the CPU, per cent, hardly change a measurement. */
const othersPercentMax = 10;

/**
 * What makes a measured hash capacity too low, as the end of a sentence; empty: nothing does.
 * @param othersPercent share of the CPU that other programs used meanwhile; `undefined`: unknown
 */
export const busyRemark = (othersPercent: number | undefined): string =>
  othersPercent === undefined || othersPercent <= othersPercentMax
    ? ''
    : `; measured while other programs used ${othersPercent.toFixed(0)} % of the CPU: the true capacity is higher`;

/** Whether the disk flushes fast enough. */
export const checkFlush = ({ flushMsMedian, flushMsP99, flushes }: DiskMeasures): Finding => {
  const text = `The disk of DATA_DIR flushes 4 KiB in ${flushMsMedian.toFixed(2)} ms (median of ${flushes}; p99 ${flushMsP99.toFixed(2)} ms): ${count(1000 / Math.max(flushMsMedian, 0.001))} commits/s, each of up to 500 sign-ins or sign-outs`;
  if (flushMsMedian <= flushMsMax) return ok(text);
  return {
    level: 'warning',
    text: `${text}; every sign-in and sign-out waits for that`,
    remedy: 'put DATA_DIR on a local SSD, or let something else write less there',
  };
};

/** Whether the disk has room. */
export const checkRoom = (freeBytes: number): Finding => {
  const text = `${count(freeBytes / mib)} MiB are free on the disk of DATA_DIR`;
  if (freeBytes >= freeBytesMin) return ok(text);
  return {
    level: freeBytes < freeBytesLeast ? 'failure' : 'warning',
    text: `${text}: when it is full, sign-ins, refreshes and sign-outs are refused`,
    remedy: 'make room; a running service goes on by itself',
  };
};
