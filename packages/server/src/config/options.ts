/**
 * The one schema of the configuration. `docs/reference/configuration.md` and `catalytic serve
 * --help` are generated from it.
 * @module
 */
import { availableParallelism } from 'node:os';
import { areOrigins, areRanges, isListenable } from './addresses.ts';
import type { Option } from './option.ts';
import type { Profile } from './profile.ts';
import { type RedisConfig, redisOptions } from './redis-options.ts';
import { type TlsConfig, tlsOptions } from './tls-options.ts';
import { type TokenConfig, tokenOptions } from './token-options.ts';

/**
 * Hash lanes used when none are configured: two per core keep every core busy while results travel.
 */
export const defaultHashLanes = Math.min(64, Math.max(2, availableParallelism() * 2));

const callerSources = ['headers', 'forwarded', 'x-forwarded-for', 'proxy-protocol', 'peer'] as const;

/** Every option, by the name of its field in {@link Config}. */
export const options = {
  host: {
    kind: 'text',
    name: 'HOST',
    default: '127.0.0.1',
    pattern: { test: isListenable },
    patternText: 'an IP address or localhost',
    description:
      'Address to listen on; localhost means 127.0.0.1. One that is not loopback needs ISSUER, and either TLS_CERT_FILE and TLS_KEY_FILE or TRUSTED_PROXIES, to which it serves plain HTTP.',
  },
  port: {
    kind: 'number',
    name: 'PORT',
    unit: 'port',
    minimum: 0,
    maximum: 65_535,
    default: 8000,
    description:
      'TCP port to listen on; 0 takes any free one. The default of ISSUER names the port: after a change every token from before is refused with 401 `token_issuer_wrong`, unless ISSUER is set.',
  },
  trustedProxies: {
    kind: 'text',
    name: 'TRUSTED_PROXIES',
    default: undefined,
    defaultText: 'none',
    pattern: { test: areRanges },
    patternText: 'addresses or ranges like 10.1.2.3 or 10.1.0.0/16, separated by commas',
    description:
      'Proxies in front of a HOST that is not loopback, which end TLS unless the service does; connections from other addresses, except this machine, are closed at once.',
  },
  callerAddressFrom: {
    kind: 'choice',
    name: 'CALLER_ADDRESS_FROM',
    choices: callerSources,
    default: undefined,
    defaultText: '`headers` while TRUSTED_PROXIES is set and the service speaks plain HTTP, else `peer`',
    description:
      'Where the proxies in TRUSTED_PROXIES name the caller, for the audit trail and the log: in `forwarded` (RFC 7239), in `x-forwarded-for`, in either of the two `headers`, of which both must agree where both are there, or before the first byte of each connection (`proxy-protocol`, version 1 or 2, which is then needed). With `peer` the address is that of the proxy. No other peer can name a caller.',
  },
  ...tlsOptions,
  operateHost: {
    kind: 'text',
    name: 'OPERATE_HOST',
    default: undefined,
    defaultText: 'the public listener of a service for development, else 127.0.0.1',
    pattern: { test: isListenable },
    patternText: 'an IP address or localhost',
    description:
      'Address on which /metrics and /admin answer, beside the health routes. They share the public listener only for development: on a loopback HOST, with ISSUER, TRUSTED_PROXIES, OPERATE_HOST and OPERATE_PORT unset. It speaks plain HTTP, and /metrics needs no key: keep it on loopback or in a private network.',
  },
  operatePort: {
    kind: 'number',
    name: 'OPERATE_PORT',
    unit: 'port',
    minimum: 0,
    maximum: 65_535,
    default: undefined,
    defaultText: 'the public listener of a service for development, else 9000',
    description: 'TCP port of the operate listener; 0 takes any free one.',
  },
  corsOrigins: {
    kind: 'text',
    name: 'CORS_ORIGINS',
    default: undefined,
    defaultText: 'none',
    pattern: { test: areOrigins },
    patternText:
      'origins exactly as browsers send them, by https or by http from loopback, like https://app.example.com, https://*.example.com or http://localhost:5173, separated by commas',
    description:
      'Sites whose pages may call the public listener from a browser and read its answers. `https://*.example.com` stands for every subdomain, not for `example.com` itself: list it only when each of them is yours. Pages may send any header. Credentials of the browser are never asked for: a page sends its token itself.',
  },
  docs: {
    kind: 'choice',
    name: 'DOCS',
    choices: ['0', '1'],
    default: '1',
    description:
      'Serves the description of the API at `/openapi.json` and, made of it, an interactive page at `/docs`; each listener describes its own routes.',
  },
  dataDir: {
    kind: 'text',
    name: 'DATA_DIR',
    default: './data',
    description:
      'Folder of the database and the master key, created with mode 0700; one that exists keeps its mode. With DATABASE_URL and CATALYTIC_MASTER_KEY it is not needed.',
  },
  databaseUrl: {
    kind: 'text',
    name: 'DATABASE_URL',
    default: undefined,
    defaultText: 'SQLite in DATA_DIR',
    pattern: /^postgres(ql)?:\/\/\S+$/,
    patternText: 'a URL like postgres://user:password@host:5432/database',
    secret: true,
    description:
      'PostgreSQL database (15 or newer) that holds everything; needed for more than one worker. Several hosts, `postgres://user:password@one:5432,two:5432/database`, are tried in turn until one is the primary.',
  },
  databaseReplicaUrls: {
    kind: 'text',
    name: 'DATABASE_REPLICA_URLS',
    default: undefined,
    defaultText: 'none',
    pattern: /^postgres(ql)?:\/\/[^\s,]+(,postgres(ql)?:\/\/[^\s,]+)*$/,
    patternText: 'URLs like postgres://user:password@host:5432/database, separated by commas',
    secret: true,
    description:
      'Replicas of the PostgreSQL database, separated by commas, asked in turn for data that may be slightly stale: the account that GET /auth/me shows. Each gets a pool like the primary; when one fails, the primary is asked.',
  },
  databasePoolSize: {
    kind: 'number',
    name: 'DATABASE_POOL_SIZE',
    unit: 'connections',
    minimum: 1,
    maximum: 10_000,
    default: 30,
    description: 'Connections to PostgreSQL that stay open, for the whole machine; divided among its workers.',
  },
  databaseMaxOverflow: {
    kind: 'number',
    name: 'DATABASE_MAX_OVERFLOW',
    unit: 'connections',
    minimum: 0,
    maximum: 10_000,
    default: 100,
    description:
      'Further connections under load, for the whole machine; closed after 10 s without work. Cut down to the part of this machine, see DATABASE_MACHINES.',
  },
  databaseMachines: {
    kind: 'number',
    name: 'DATABASE_MACHINES',
    unit: 'machines',
    minimum: 1,
    maximum: 1000,
    default: 2,
    description:
      'Machines that share the PostgreSQL server: each uses at most its part of the connections that server, database and role allow, less 5 for commands. 1 gives all of them to this machine, with none left for a second one during an upgrade.',
  },
  databaseWaitSeconds: {
    kind: 'number',
    name: 'DATABASE_WAIT_SECONDS',
    unit: 'seconds',
    minimum: 0,
    maximum: 3600,
    default: 60,
    description:
      'How long "catalytic serve" waits at its start for a PostgreSQL server that is not up yet; then it ends with exit code 3.',
  },
  ...redisOptions,
  workers: {
    kind: 'number',
    name: 'WORKERS',
    unit: 'processes',
    minimum: 1,
    maximum: 256,
    default: 0,
    defaultText: '1 on SQLite, the number of cores on PostgreSQL',
    description: 'Processes that serve. SQLite serves one.',
  },
  maxConnections: {
    kind: 'number',
    name: 'MAX_CONNECTIONS',
    unit: 'connections',
    minimum: 1,
    maximum: 1_000_000,
    // With the pool and all other files of a process it fits into 20,000 open files, which is a
    // usual limit.
    default: 19_000,
    description:
      'Client connections that one process holds, at most as many as open files allow. A further one takes the place of the oldest connection on which no whole request waits for its answer; if there is none, it is answered 503 and closed.',
  },
  exposeWorker: {
    kind: 'choice',
    name: 'EXPOSE_WORKER',
    choices: ['0', '1'],
    default: '0',
    description:
      'Names machine, worker and process in the answer header `Catalytic-Worker`, so that a test can ask each of them.',
  },
  backlog: {
    kind: 'number',
    name: 'BACKLOG',
    unit: 'connections',
    minimum: 1,
    maximum: 65_535,
    default: 2048,
    description: 'Connections that may wait to be accepted; the kernel caps it at net.core.somaxconn.',
  },
  keepAliveSeconds: {
    kind: 'number',
    name: 'KEEP_ALIVE_SECONDS',
    unit: 'seconds',
    minimum: 1,
    maximum: 3600,
    // Load balancers keep idle connections for 60 s or less: the side that sends requests must be the first to close.
    default: 75,
    description:
      'How long an idle connection is kept open; longer than the load balancer keeps it, or a request that is on its way meets a closed connection (502).',
  },
  requestTimeoutMs: {
    kind: 'number',
    name: 'REQUEST_TIMEOUT_MS',
    unit: 'milliseconds',
    minimum: 100,
    maximum: 600_000,
    default: 15_000,
    description:
      'How long a client may take to shake hands (TLS), to send a request, headers and body together, and to read an answer. An import may take longer: there it bounds each silence.',
  },
  ...tokenOptions,
  hashLanes: {
    kind: 'number',
    name: 'HASH_LANES',
    unit: 'lanes',
    minimum: 1,
    maximum: 64,
    default: defaultHashLanes,
    defaultText: 'two per core',
    description:
      'Passwords hashed at the same time on this machine, in a process of low priority; each lane takes 19 MiB while it works.',
  },
  hashQueueMs: {
    kind: 'number',
    name: 'HASH_QUEUE_MS',
    unit: 'milliseconds',
    minimum: 0,
    maximum: 60_000,
    default: 2000,
    description:
      'Longest time that a password waits for a lane; a request that would wait longer is answered 503 with Retry-After.',
  },
  revocationLeaseMs: {
    kind: 'number',
    name: 'REVOCATION_LEASE_MS',
    unit: 'milliseconds',
    minimum: 400,
    maximum: 60_000,
    default: 5000,
    description:
      'How long a process accepts tokens without hearing from the database, and, times 1.2, how long a lost process can delay a revocation. Processes may differ, and a rolling change is safe.',
  },
  revocationAnswerMs: {
    kind: 'number',
    name: 'REVOCATION_ANSWER_MS',
    unit: 'milliseconds',
    minimum: 50,
    maximum: 60_000,
    default: 1000,
    description:
      'After this time a revocation that is durable but not yet known to every process is answered 202 instead of 200.',
  },
  loginCacheSeconds: {
    kind: 'number',
    name: 'LOGIN_CACHE_SECONDS',
    unit: 'seconds',
    minimum: 0,
    maximum: 86_400,
    default: 0,
    description:
      'After a full check, how long the same right password of the same account skips the hashing; 0 is off. SECURITY.md says what it costs when memory leaks.',
  },
  auditDays: {
    kind: 'number',
    name: 'AUDIT_DAYS',
    unit: 'days',
    minimum: 0,
    maximum: 36_500,
    default: 90,
    description: 'How long rows of the audit trail are kept; 0 keeps them for ever.',
  },
  lab: {
    kind: 'choice',
    name: 'LAB',
    choices: ['0', '1'],
    default: undefined,
    defaultText: '1 for a first "npm start", with an empty DATA_DIR, on SQLite and on a loopback HOST; else 0',
    description:
      'Leaves a key in DATA_DIR/lab.key with which the load lab may import accounts into the tenant "lab", and nothing else.',
  },
  logLevel: {
    kind: 'choice',
    name: 'LOG_LEVEL',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    default: 'info',
    description: 'Least severe log line written to standard error.',
  },
} as const satisfies Record<string, Option>;

/** The configuration as the service uses it. */
export interface Config extends RedisConfig, TlsConfig, TokenConfig {
  /** What follows from the engine. */
  readonly profile: Profile;
  readonly host: string;
  readonly port: number;
  readonly trustedProxies: string | undefined;
  readonly callerAddressFrom: (typeof callerSources)[number];
  /** `undefined`, and so is the port: the operators' routes answer on the public listener. */
  readonly operateHost: string | undefined;
  readonly operatePort: number | undefined;
  /** As it is given: separated by commas. */
  readonly corsOrigins: string | undefined;
  readonly docs: string;
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
  /** As it is given: separated by commas. */
  readonly databaseReplicaUrls: string | undefined;
  readonly databasePoolSize: number;
  readonly databaseMaxOverflow: number;
  readonly databaseMachines: number;
  readonly databaseWaitSeconds: number;
  readonly workers: number;
  readonly maxConnections: number;
  readonly exposeWorker: string;
  readonly backlog: number;
  readonly keepAliveSeconds: number;
  readonly requestTimeoutMs: number;
  readonly hashLanes: number;
  readonly hashQueueMs: number;
  readonly revocationLeaseMs: number;
  readonly revocationAnswerMs: number;
  readonly loginCacheSeconds: number;
  readonly auditDays: number;
  /** `undefined`: neither asked for nor ruled out. */
  readonly lab: string | undefined;
  readonly logLevel: string;
}
