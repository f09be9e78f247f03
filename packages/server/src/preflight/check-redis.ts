/**
 * Whether Redis serves the configuration well, and what its absence costs.
 * @module
 */
import type { Redis } from '../bus/inspect-redis.ts';
import type { Config } from '../config/options.ts';
import { type Finding, ok } from './finding.ts';

/** The oldest version that the tests cover. */
const versionMajorMin = 7;
/**
 * A slower round trip delays a sign-out noticeably, milliseconds: it takes a hint there and an
 * acknowledgement back.
 */
const roundTripMsMax = 10;

/** Without a bus each member writes down what it has read, and the revoker polls. */
const withoutBus = 'a sign-out takes about 0.2 s where there is more than one machine, everything else is unchanged';

/** Findings about a Redis that answers. */
export const checkRedis = ({ version, roundTripsMs }: Redis): readonly Finding[] => {
  const medianMs = roundTripsMs[roundTripsMs.length >> 1] ?? 0;
  const time = `A message comes back from Redis in ${medianMs.toFixed(1)} ms`;
  return [
    Number.parseInt(version, 10) >= versionMajorMin
      ? ok(`Redis ${version} answers`)
      : {
          level: 'warning',
          text: `Redis ${version} is older than the versions that this one is tested with`,
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

/**
 * Findings where no Redis is used: by choice, or because one process has no other to announce
 * anything to.
 */
export const checkNoRedis = ({ profile, ...config }: Config): readonly Finding[] => {
  if (profile.servesManyProcesses) return [ok(`No Redis is configured: ${withoutBus}`)];
  const names = [config.redisUrl, config.redisHost, config.redisSentinels];
  if (names.every((name) => name === undefined)) return [];
  return [
    {
      level: 'warning',
      text: 'Redis is configured and not used: on SQLite one process serves, and has no other to announce revocations to',
      remedy: 'set DATABASE_URL to serve with several, or take the settings of Redis away',
    },
  ];
};

/** The finding for a Redis that does not answer. */
export const lostRedis = (error: unknown): Finding => {
  const { message, code } = error as NodeJS.ErrnoException;
  return {
    level: 'warning',
    text: `Redis cannot be used: ${message || code}; until it can, ${withoutBus}`,
    remedy: 'check REDIS_URL or its siblings, and that the server runs and lets this machine in',
  };
};
