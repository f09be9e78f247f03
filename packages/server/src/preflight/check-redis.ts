/**
 * Whether Redis is enough for the configuration, and what its absence costs.
 * @module
 */
import type { Redis } from '../bus/inspect-redis.ts';
import type { Config } from '../config/options.ts';
import { type Finding, ok } from './finding.ts';

/** The oldest version that the tests run with. */
const versionMajorMin = 7;
/** A message that takes longer to come round makes a sign-out wait noticeably: one goes there and one comes back, milliseconds. */
const roundTripMsMax = 10;

/** Both directions of a sign-out without a bus: members write down what they have read, and the revoker looks. */
const withoutBus = 'a sign-out takes about 0.2 s where there is more than one machine, everything else is unchanged';

/** Redis, as it was seen. */
export const checkRedis = ({ version, roundTripsMs }: Redis): readonly Finding[] => {
  const medianMs = roundTripsMs[roundTripsMs.length >> 1] ?? 0;
  const time = `A message comes back from Redis in ${medianMs.toFixed(1)} ms`;
  return [
    Number.parseInt(version, 10) >= versionMajorMin
      ? ok(`Redis ${version} answers`)
      : {
          level: 'warning',
          text: `Redis ${version} is older than what this version is tested with`,
          remedy: `upgrade it to ${versionMajorMin} or newer`,
        },
    medianMs <= roundTripMsMax
      ? ok(time)
      : {
          level: 'warning',
          text: `${time}: each sign-out waits for that`,
          remedy: 'move Redis nearer to the service, or to a machine with less to do',
        },
  ];
};

/** Without Redis, by choice; or beside SQLite, where it has nothing to do. */
export const checkNoRedis = ({ profile, ...config }: Config): readonly Finding[] => {
  if (profile.servesManyProcesses) return [ok(`No Redis is configured: ${withoutBus}`)];
  const names = [config.redisUrl, config.redisHost, config.redisSentinels];
  if (names.every((name) => name === undefined)) return [];
  return [
    {
      level: 'warning',
      text: 'Redis is configured and not used: on SQLite one process serves, and has nobody to tell',
      remedy: 'set DATABASE_URL to serve with several, or take the settings of Redis away',
    },
  ];
};

/** With a Redis that cannot be used. */
export const lostRedis = (error: unknown): Finding => {
  const { message, code } = error as NodeJS.ErrnoException;
  return {
    level: 'warning',
    text: `Redis cannot be used: ${message || code}; until it can, ${withoutBus}`,
    remedy: 'check REDIS_URL or its siblings, and that the server runs and lets this machine in',
  };
};
