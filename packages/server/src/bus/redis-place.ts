/**
 * Where Redis is, and the credentials for it.
 * @module
 */
import { readFileSync } from 'node:fs';
import type { RedisConfig } from '../config/redis-options.ts';

/** A server. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Addresses and credentials of Redis. */
export interface RedisPlace {
  /** The server; `undefined`: ask the sentinels. */
  readonly server: HostPort | undefined;
  /** Sentinels to ask for the primary, in turn; empty where the server is named. */
  readonly sentinels: readonly HostPort[];
  /** Name under which the sentinels know the primary. */
  readonly sentinelName: string;
  readonly sentinelPassword: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /**
   * PEM of the authorities that may sign the server's certificate; `undefined`: no TLS; empty: the
   * authorities of the system.
   */
  readonly authorities: string | undefined;
}

const defaultPort = 6379;
const defaultSentinelPort = 26_379;

const hostPort = (text: string): HostPort => {
  const { hostname, port } = new URL(`redis://${text}`);
  return { host: unbracketed(hostname), port: port === '' ? defaultSentinelPort : Number(port) };
};

const unbracketed = (host: string): string => host.replace(/^\[|\]$/g, '');

const given = (text: string): string | undefined => (text === '' ? undefined : decodeURIComponent(text));

/**
 * Reads it from the configuration.
 * @returns `undefined` when the configuration names no Redis
 * @throws Error when it names several, or the file of authorities cannot be read
 */
export const redisPlace = (config: RedisConfig): RedisPlace | undefined => {
  const { redisUrl, redisHost, redisPort, redisUsername, redisPassword, redisSentinels } = config;
  const named = [redisUrl, redisHost, redisSentinels].filter((name) => name !== undefined);
  if (named.length === 0) return undefined;
  if (named.length > 1) throw new Error('give one of REDIS_URL, REDIS_HOST and REDIS_SENTINELS');
  const url = redisUrl === undefined ? undefined : new URL(redisUrl);
  const hasTls = config.redisTls === '1' || config.redisCaFile !== undefined || url?.protocol === 'rediss:';
  const authorities = config.redisCaFile === undefined ? '' : readFileSync(config.redisCaFile, 'utf8');
  return {
    server:
      url !== undefined
        ? { host: unbracketed(url.hostname), port: Number(url.port || defaultPort) }
        : redisHost !== undefined
          ? { host: redisHost, port: redisPort }
          : undefined,
    sentinels: redisSentinels?.split(',').map(hostPort) ?? [],
    sentinelName: config.redisSentinelName,
    sentinelPassword: config.redisSentinelPassword,
    username: redisUsername ?? given(url?.username ?? ''),
    password: redisPassword ?? given(url?.password ?? ''),
    authorities: hasTls ? authorities : undefined,
  };
};
