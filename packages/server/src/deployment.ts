/**
 * The deployment at rest: its database, its keys and the place of its Redis, for the start of a
 * server and for commands. Nothing in here serves requests, so that a command need not load the
 * code that does.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type RedisPlace, redisPlace } from './bus/redis-place.ts';
import { createMasterKey, findMasterKey, putMasterKeyAside } from './config/master-key.ts';
import type { Config } from './config/options.ts';
import type { Profile } from './config/profile.ts';
import { ConfigError } from './config/read-config.ts';
import { cliOrigin, systemOrigin } from './features/audit/origins.ts';
import type { NewHistory } from './features/deployment/store.ts';
import { Secret } from './features/secrets/secret.ts';
import { createSigningKey } from './features/signing-keys/create-signing-key.ts';
import { KeyRing } from './features/signing-keys/key-ring.ts';
import type { OnMoved } from './stores/move-to-postgres.ts';
import type { Database } from './stores/postgres/inspect.ts';
import type { Stores } from './stores/stores.ts';

export { inspectRedis } from './bus/inspect-redis.ts';
export { carryGuards } from './stores/sqlite/carry-guards.ts';
export { copyDatabase } from './stores/sqlite/copy-database.ts';
export { databasePath, lockDataFolder } from './stores/sqlite/database.ts';
export { examineDatabase, glanceAtDatabase } from './stores/sqlite/examine-database.ts';
export { putInPlace } from './stores/sqlite/put-in-place.ts';

/** The database could not be reached in time: the same start may succeed later. */
export class DatabaseAway extends ConfigError {
  override readonly name = 'DatabaseAway';
  override readonly exitCode = 3;
}

/** What the owner of the stores hears of. */
export interface StoresListener {
  /** Called with a sentence for the operator. */
  readonly onProblem: (message: string) => void;
  /** Called when writing has become impossible for good. */
  readonly onFatal: (error: Error) => void;
  /** Called once with the calculation of the connections to a database server. */
  readonly onBudget?: (arithmetic: string) => void;
}

/** How long an opening waits for a database server that is not up yet. */
export interface Patience {
  readonly waitMs: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

/** Pause between two attempts to reach the database, milliseconds. */
const retryMs = 500;

/** One worker's share of a limit that is set for the whole machine. */
export const share = (count: number, { workers }: Config): number => Math.max(1, Math.floor(count / workers));

interface Engine {
  /** Where its database is, in words. */
  place(config: Config): string;
  /** Refuses a place in which no service has run, where opening would make an empty database. */
  assertServed(config: Config): void;
  open(config: Config, listener: StoresListener): Promise<Stores>;
  /** Whether the database cannot be reached, so that the same settings may do a little later. */
  isAway(error: unknown): boolean;
  /** Whether the database lacks what may still be about to be made, if it has just come up. */
  isIncomplete(error: unknown): boolean;
  /** Looks at its database server; `undefined`: it has none. */
  inspect(config: Config): Promise<Database | undefined>;
}

/** The URL of the database server, of a configuration whose profile has one. */
const serverUrl = ({ databaseUrl }: Config): string => {
  if (databaseUrl === undefined) throw new Error('Cannot reach PostgreSQL: DATABASE_URL is not set');
  return databaseUrl;
};

const loadSqlite = async (): Promise<Engine> => {
  const { assertServed, openSqliteStores } = await import('./stores/sqlite/stores.ts');
  return {
    place: ({ dataDir }) => `the data folder ${dataDir}`,
    assertServed: ({ dataDir }) => assertServed(dataDir),
    open: async ({ dataDir }, { onFatal }) => openSqliteStores(dataDir, onFatal),
    isAway: () => false,
    isIncomplete: () => false,
    inspect: async () => undefined,
  };
};

const loadPostgres = async (): Promise<Engine> => {
  const [{ openPostgresStores }, { isAway, isIncomplete }] = await Promise.all([
    import('./stores/postgres/stores.ts'),
    import('./stores/postgres/unavailable.ts'),
  ]);
  return {
    place: () => 'the database that DATABASE_URL names',
    // An operator has made that database on purpose; a wrong URL names none.
    assertServed: () => {},
    open: (config, listener) =>
      openPostgresStores({
        url: serverUrl(config),
        replicaUrls: config.databaseReplicaUrls?.split(',') ?? [],
        poolSize: config.databasePoolSize,
        overflow: config.databaseMaxOverflow,
        workers: config.workers,
        machines: config.databaseMachines,
        ...listener,
      }),
    isAway,
    isIncomplete,
    inspect: (config) => inspectPostgres(serverUrl(config)),
  };
};

/** A process loads the one engine that it uses: the modules of both take a quarter of its start. */
const engines: Readonly<Record<Profile['engine'], () => Promise<Engine>>> = {
  sqlite: loadSqlite,
  postgres: loadPostgres,
};

/** Looks at a database server. @throws when it cannot be reached */
export const inspectPostgres = async (url: string): Promise<Database> =>
  (await import('./stores/postgres/inspect.ts')).inspectPostgres(url);

/**
 * Looks at the database server of a configuration; `undefined`: the database is a file in the data
 * folder.
 * @throws when it cannot be reached
 */
export const inspectDatabase = async (config: Config): Promise<Database | undefined> =>
  (await engines[config.profile.engine]()).inspect(config);

/**
 * Opens the stores that the configuration names.
 * @param patience of a start, which may begin an empty database; a command neither begins one nor waits
 * @throws {DatabaseAway} when the database could not be reached in time
 * @throws {ConfigError} when they cannot be opened for another reason
 */
export const openStores = async (config: Config, listener: StoresListener, patience?: Patience): Promise<Stores> => {
  const engine = await engines[config.profile.engine]();
  const { waitMs, signal } = patience ?? { waitMs: 0 };
  const startedMs = performance.now();
  for (let attempt = 1; ; attempt++) {
    try {
      if (patience === undefined) engine.assertServed(config);
      return await engine.open(config, listener);
    } catch (error) {
      // A host with several addresses fails with one error for each, and no message of its own.
      const { message, code } = error as NodeJS.ErrnoException;
      const text = `Cannot use ${engine.place(config)}: ${message || code}`;
      const isAway = engine.isAway(error);
      const isOver = performance.now() - startedMs >= waitMs;
      if (isAway && isOver) throw new DatabaseAway(text, { cause: error });
      if (!isAway && (isOver || attempt === 1 || !engine.isIncomplete(error)))
        throw new ConfigError(text, { cause: error });
      if (attempt === 1) listener.onProblem(`${text}; waiting for it, at most ${waitMs / 1000} s`);
    }
    await delay(retryMs, undefined, { signal });
  }
};

/**
 * Moves the deployment in the data folder to an empty PostgreSQL database.
 * @throws {ConfigError} when that cannot be done
 */
export const moveDeployment = async (
  { dataDir }: Config,
  url: string,
  onProblem: (message: string) => void,
  onMoved: OnMoved,
): Promise<void> => {
  try {
    const { moveToPostgres } = await import('./stores/move-to-postgres.ts');
    await moveToPostgres(dataDir, url, onProblem, onMoved);
  } catch (error) {
    throw new ConfigError(`Cannot move ${dataDir} to PostgreSQL: ${(error as Error).message}`, { cause: error });
  }
};

/**
 * Opens the signing keys with the master key; makes the first of either when there is none.
 * @throws {ConfigError} when they do not open
 */
export const openKeyRing = async (
  config: Config,
  stores: Stores,
  nowMs: () => number,
): Promise<{ readonly keys: KeyRing; readonly masterKey: Secret<Buffer> }> => {
  const isFirst = (await stores.signingKeys.list()).length === 0;
  // Read after the keys: a process that stored a key had its master key before.
  const known = findMasterKey(config.masterKey, config.dataDir);
  const cannot = `Cannot open the signing keys in ${config.dataDir}`;
  const remedy =
    'restore master.key or CATALYTIC_MASTER_KEY; if the key is lost, stop every process and run "catalytic after-restore --new-master-key": everybody signs in once';
  if (known === undefined && !isFirst) throw new ConfigError(`${cannot}: the master key is missing; ${remedy}`);
  const masterKey = new Secret(known ?? createMasterKey(config.dataDir));
  if (isFirst)
    await stores.signingKeys.addFirst({
      key: createSigningKey(config.signingAlgorithm, masterKey, nowMs(), nowMs()),
      by: systemOrigin,
    });
  const keys = new KeyRing(stores.signingKeys, masterKey);
  try {
    await keys.load(nowMs());
  } catch (error) {
    throw new ConfigError(`${cannot}: the master key is not the one they were sealed with; ${remedy}`, {
      cause: error,
    });
  }
  return { keys, masterKey };
};

/**
 * Begins a new history after a backup was restored: no token issued before is accepted again. No
 * process may serve meanwhile.
 * @param hasNewMasterKey whether to replace the master key: by the configured one, else by a new
 *   `master.key`
 * @throws {ConfigError} when the signing keys do not open with the master key, and it is not
 *   replaced
 */
export const beginNewHistory = async (
  config: Config,
  stores: Stores,
  hasNewMasterKey: boolean,
): Promise<NewHistory & { readonly formerMasterKey: string | undefined }> => {
  const nowMs = Date.now();
  const isReplaced = hasNewMasterKey && config.masterKey === undefined;
  const formerMasterKey = isReplaced ? putMasterKeyAside(config.dataDir, nowMs) : undefined;
  const masterKey = hasNewMasterKey
    ? new Secret(findMasterKey(config.masterKey, config.dataDir) ?? createMasterKey(config.dataDir))
    : (await openKeyRing(config, stores, Date.now)).masterKey;
  const key = createSigningKey(config.signingAlgorithm, masterKey, nowMs, nowMs);
  return { ...(await stores.deployment.beginNewHistory({ key, nowMs, by: cliOrigin })), formerMasterKey };
};

/**
 * The place of Redis, if one is configured and several processes may serve: a single process has no
 * other to announce revocations to.
 * @throws {ConfigError} when it is configured in two ways, or for more workers than may connect
 */
export const findRedis = (config: Config): RedisPlace | undefined => {
  if (!config.profile.servesManyProcesses) return undefined;
  let place: RedisPlace | undefined;
  try {
    place = redisPlace(config);
  } catch (error) {
    throw new ConfigError(`Cannot use Redis: ${(error as Error).message}`, { cause: error });
  }
  if (place !== undefined && config.redisMaxConnections < config.workers)
    throw new ConfigError(
      `Cannot use Redis: each of ${config.workers} workers needs a connection, REDIS_MAX_CONNECTIONS allows ${config.redisMaxConnections}`,
    );
  return place;
};
