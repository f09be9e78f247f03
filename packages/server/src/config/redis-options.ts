/**
 * The options of Redis.
 * @module
 */
import type { Option } from './option.ts';

const hostPorts = /^(\[[\da-f:]+\]|[^:\s,]+)(:\d{1,5})?(,(\[[\da-f:]+\]|[^:\s,]+)(:\d{1,5})?)*$/i;

/** See {@link RedisConfig}. */
export const redisOptions = {
  redisUrl: {
    kind: 'text',
    name: 'REDIS_URL',
    default: undefined,
    defaultText: 'none: announcements stay within each machine',
    pattern: /^rediss?:\/\/\S+$/,
    patternText: 'a URL like redis://user:password@host:6379 (rediss:// for TLS)',
    secret: true,
    description:
      'Redis (7 or newer) over which the processes of all machines announce revocations. It makes a sign-out fast and is never needed to make it right: without it, a sign-out takes about 0.2 s where there is more than one machine. It stores nothing.',
  },
  redisHost: {
    kind: 'text',
    name: 'REDIS_HOST',
    default: undefined,
    defaultText: 'none',
    description: 'Host of Redis, instead of REDIS_URL.',
  },
  redisPort: {
    kind: 'number',
    name: 'REDIS_PORT',
    unit: 'port',
    minimum: 1,
    maximum: 65_535,
    default: 6379,
    description: 'Port of REDIS_HOST.',
  },
  redisUsername: {
    kind: 'text',
    name: 'REDIS_USERNAME',
    default: undefined,
    defaultText: 'the default user',
    description:
      'ACL user. It needs "+@connection +publish +subscribe" and the channels "&catalytic:*", and access to no key.',
  },
  redisPassword: {
    kind: 'text',
    name: 'REDIS_PASSWORD',
    default: undefined,
    defaultText: 'none',
    secret: true,
    description: 'Password of the ACL user, or of "requirepass".',
  },
  redisTls: {
    kind: 'choice',
    name: 'REDIS_TLS',
    choices: ['0', '1'],
    default: '0',
    description: 'Whether to speak TLS to REDIS_HOST or REDIS_SENTINELS; a rediss:// URL does so anyway.',
  },
  redisCaFile: {
    kind: 'text',
    name: 'REDIS_CA_FILE',
    default: undefined,
    defaultText: 'the authorities that Node trusts',
    description: 'PEM file of the authorities that may have signed the certificate of Redis; given, TLS is spoken.',
  },
  redisSentinels: {
    kind: 'text',
    name: 'REDIS_SENTINELS',
    default: undefined,
    defaultText: 'none',
    pattern: hostPorts,
    patternText: 'addresses like host:26379, separated by commas',
    description: 'Sentinels, asked in turn for the primary, instead of REDIS_URL.',
  },
  redisSentinelName: {
    kind: 'text',
    name: 'REDIS_SENTINEL_NAME',
    default: 'mymaster',
    description: 'Name under which the sentinels know the primary.',
  },
  redisSentinelPassword: {
    kind: 'text',
    name: 'REDIS_SENTINEL_PASSWORD',
    default: undefined,
    defaultText: 'none',
    secret: true,
    description: 'Password of the sentinels themselves.',
  },
  redisMaxConnections: {
    kind: 'number',
    name: 'REDIS_MAX_CONNECTIONS',
    unit: 'connections',
    minimum: 1,
    maximum: 10_000,
    default: 100,
    description:
      'Connections to Redis of the whole machine: each worker keeps one, and another for a moment while it asks a sentinel.',
  },
} as const satisfies Record<string, Option>;

/** The part of the configuration about Redis. */
export interface RedisConfig {
  readonly redisUrl: string | undefined;
  readonly redisHost: string | undefined;
  readonly redisPort: number;
  readonly redisUsername: string | undefined;
  readonly redisPassword: string | undefined;
  readonly redisTls: string;
  readonly redisCaFile: string | undefined;
  readonly redisSentinels: string | undefined;
  readonly redisSentinelName: string;
  readonly redisSentinelPassword: string | undefined;
  readonly redisMaxConnections: number;
}
