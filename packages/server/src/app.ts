/**
 * The composition: the one file that joins features to stores.
 * @module
 */
import { systemClocks } from '@catalytic/guard/clocks';
import { JournalReader } from '@catalytic/guard/journal-reader';
import { SignatureChecks } from '@catalytic/guard/signature-checks';
import { View } from '@catalytic/guard/view';
import { keepUntilMs } from '@catalytic/protocol/journal';
import { layeredBus } from './bus/layered-bus.ts';
import { RedisBus } from './bus/redis-bus.ts';
import { type RedisPlace, redisPlace } from './bus/redis-place.ts';
import type { ServiceAddress } from './cluster/messages.ts';
import type { WorkerLink } from './cluster/worker-link.ts';
import { originsOf, trustedPeers } from './config/addresses.ts';
import { certificateFiles } from './config/certificate.ts';
import { makeDataFolder } from './config/data-folder.ts';
import { createMasterKey, findMasterKey, putMasterKeyAside } from './config/master-key.ts';
import type { Config } from './config/options.ts';
import { ConfigError } from './config/read-config.ts';
import { accessTokenRoutes } from './features/access-tokens/routes.ts';
import { accountAdminRoutes } from './features/accounts/admin-routes.ts';
import { accountRoutes } from './features/accounts/routes.ts';
import { AuditBuffer } from './features/audit/audit-buffer.ts';
import { cliOrigin, systemOrigin } from './features/audit/origins.ts';
import { auditRoutes } from './features/audit/routes.ts';
import type { NewHistory } from './features/deployment/store.ts';
import { healthRoutes } from './features/health/routes.ts';
import { metricsRoutes } from './features/metrics/routes.ts';
import { LoginCache } from './features/passwords/login-cache.ts';
import { Barrier } from './features/revocation/barrier.ts';
import type { BusObserver } from './features/revocation/hint-bus.ts';
import { deriveKey } from './features/secrets/seal.ts';
import { Secret } from './features/secrets/secret.ts';
import { sessionAdminRoutes } from './features/sessions/admin-routes.ts';
import { sessionRoutes } from './features/sessions/routes.ts';
import { createSigningKey } from './features/signing-keys/create-signing-key.ts';
import { KeyRing } from './features/signing-keys/key-ring.ts';
import { signingKeyRoutes } from './features/signing-keys/routes.ts';
import { keyReloadMs } from './features/signing-keys/rules.ts';
import { tenantRoutes } from './features/tenants/routes.ts';
import { defaultTenantName } from './features/tenants/store.ts';
import { followCertificate } from './follow-certificate.ts';
import { forgettingClock } from './forgetting-clock.ts';
import { HashLanes } from './hashing/hash-lanes.ts';
import { startHousekeeping } from './housekeeping.ts';
import { describedRoutes } from './http/openapi/described-routes.ts';
import { createHttpServer, type HttpParts, type HttpServer } from './http/server.ts';
import { leaveLabKey } from './lab-key.ts';
import { Listeners } from './listen.ts';
import { moveToPostgres, type OnMoved } from './stores/move-to-postgres.ts';
import { openPostgresStores } from './stores/postgres/stores.ts';
import { lockDataFolder } from './stores/sqlite/database.ts';
import { glanceAtDatabase } from './stores/sqlite/examine-database.ts';
import { explain } from './stores/sqlite/explain.ts';
import { openSqliteStores } from './stores/sqlite/stores.ts';
import type { Stores } from './stores/stores.ts';
import { AnswerCounts } from './telemetry/answer-counts.ts';
import type { Logger } from './telemetry/log.ts';
import { Metrics, metricsContentType, scraper } from './telemetry/metrics.ts';

export { inspectRedis } from './bus/inspect-redis.ts';
export { inspectPostgres } from './stores/postgres/inspect.ts';
export { copyDatabase } from './stores/sqlite/copy-database.ts';
export { databasePath, lockDataFolder } from './stores/sqlite/database.ts';
export { examineDatabase, glanceAtDatabase } from './stores/sqlite/examine-database.ts';
export { putInPlace } from './stores/sqlite/put-in-place.ts';

/** A service that answers requests. */
export interface RunningService extends ServiceAddress {
  /** Looks at the files of the certificate now, where there are any. */
  lookAtCertificate(): void;
  /** Stops accepting, finishes what is in flight, closes the stores. @param isQuick see {@link HttpServer.close} */
  stop(isQuick: boolean): Promise<void>;
}

/** The share of one worker in what is counted for the machine. */
const share = (count: number, { workers }: Config): number => Math.max(1, Math.floor(count / workers));

/**
 * Opens the stores that the configuration names.
 * @param onProblem told what an operator should know
 * @param onFatal called when writing has become impossible for good
 * @throws {ConfigError} when they cannot be opened
 */
export const openStores = async (
  config: Config,
  onProblem: (message: string) => void,
  onFatal: (error: Error) => void,
): Promise<Stores> => {
  makeDataFolder(config.dataDir);
  const { databaseUrl, dataDir } = config;
  try {
    if (databaseUrl === undefined) return openSqliteStores(dataDir, onFatal);
    return await openPostgresStores({
      url: databaseUrl,
      replicaUrls: config.databaseReplicaUrls?.split(',') ?? [],
      poolSize: share(config.databasePoolSize, config),
      overflow: Math.floor(config.databaseMaxOverflow / config.workers),
      onProblem,
    });
  } catch (error) {
    const place = databaseUrl === undefined ? `the data folder ${dataDir}` : 'the database that DATABASE_URL names';
    throw new ConfigError(`Cannot use ${place}: ${(error as Error).message}`, { cause: error });
  }
};

/** Moves the deployment in the data folder to an empty PostgreSQL database. @throws {ConfigError} when that cannot be done */
export const moveDeployment = async (
  { dataDir }: Config,
  url: string,
  onProblem: (message: string) => void,
  onMoved: OnMoved,
): Promise<void> => {
  try {
    await moveToPostgres(dataDir, url, onProblem, onMoved);
  } catch (error) {
    throw new ConfigError(`Cannot move ${dataDir} to PostgreSQL: ${(error as Error).message}`, { cause: error });
  }
};

/**
 * Takes the data folder for this process alone, where a database serves one process, and looks at the database before anything touches it.
 * @returns lets go of it
 */
const takeDataFolder = ({ databaseUrl, dataDir }: Config): (() => void) => {
  if (databaseUrl !== undefined) return () => {};
  makeDataFolder(dataDir);
  try {
    const lock = lockDataFolder(dataDir);
    if (lock === undefined)
      throw new ConfigError(
        `Cannot serve from ${dataDir}: another server process uses it; stop it, give another DATA_DIR, or set DATABASE_URL to a PostgreSQL server, which serves many`,
      );
    glanceAtDatabase(dataDir);
    return () => lock.close();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`Cannot serve from ${dataDir}: ${explain(error)}`, { cause: error });
  }
};

/** Opens the signing keys with the master key; makes the first of either when there is none. @throws {ConfigError} when they do not open */
export const openKeyRing = async (
  config: Config,
  stores: Stores,
  nowMs: () => number,
): Promise<{ readonly keys: KeyRing; readonly masterKey: Secret<Buffer> }> => {
  const isFirst = (await stores.signingKeys.list()).length === 0;
  // After the keys: whoever has stored one had its master key before.
  const known = findMasterKey(config.masterKey, config.dataDir);
  const cannot = `Cannot open the signing keys in ${config.dataDir}`;
  const remedy =
    'restore master.key or CATALYTIC_MASTER_KEY; if the key is lost, stop every process and run "catalytic restored --new-master-key": everybody signs in once';
  if (known === undefined && !isFirst) throw new ConfigError(`${cannot}: the master key is missing; ${remedy}`);
  const masterKey = new Secret(known ?? createMasterKey(config.dataDir));
  if (isFirst)
    await stores.signingKeys.addFirst(createSigningKey(config.signingAlgorithm, masterKey, nowMs(), nowMs()));
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
 * Begins a new history after a backup was restored: nothing that was issued before is accepted again. No process may serve.
 * @param hasNewMasterKey whether the master key is another one from now on: that of the configuration, else a new `master.key`
 * @throws {ConfigError} when the signing keys do not open with the master key, and it is not to be replaced
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
  return { ...(await stores.deployment.beginNewHistory(key, nowMs, cliOrigin)), formerMasterKey };
};

/**
 * Where Redis is, if the configuration says so and there is anybody to tell: SQLite serves one process.
 * @throws {ConfigError} when it says it in two ways, or for more workers than may connect
 */
export const findRedis = (config: Config): RedisPlace | undefined => {
  if (config.databaseUrl === undefined) return undefined;
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

/** Opens the bus over Redis. Its key is that of the present history of the database: what was said in an earlier one is not heard. */
const openRedisBus = async (
  place: RedisPlace,
  masterKey: Secret<Buffer>,
  { deployment }: Stores,
  observer: BusObserver,
  onProblem: (message: string, error?: unknown) => void,
): Promise<RedisBus> => {
  const key = deriveKey(masterKey.reveal(), `catalytic bus ${await deployment.generation()}`);
  const bus = new RedisBus({ place, key, observer, onProblem });
  bus.start();
  return bus;
};

/**
 * Starts the service: everything it needs is ready, and every revocation in the journal is in the view, before the first request is
 * accepted.
 * @param link to the other processes of this machine
 * @param onFatal called when the process can no longer serve and should end
 * @throws {ConfigError} when the data folder is in use, its keys do not open or the port is taken
 */
export const startService = async (
  config: Config,
  log: Logger,
  link: WorkerLink,
  onFatal: (error: Error) => void,
): Promise<RunningService> => {
  const nowMs = Date.now;
  const closers: ((isQuick: boolean) => Promise<void> | void)[] = [];
  const stop = async (isQuick: boolean): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close(isQuick);
  };
  try {
    const onProblem = (message: string, error?: unknown): void => log.warn({ error }, message);
    // Before the database is opened: nothing may touch the file while another command restores it.
    closers.push(takeDataFolder(config));
    const stores = await openStores(config, onProblem, onFatal);
    closers.push(() => stores.close());
    // Whoever holds the folder is alone: what is registered belonged to a process that ended without a word.
    if (config.databaseUrl === undefined)
      await stores.members.remove((await stores.members.list()).map(({ id }) => id));

    const tokenSecondsMax = await stores.journal.raiseTokenSecondsMax(config.accessTokenSeconds);
    const forgetMs = forgettingClock(systemClocks, keepUntilMs(0, tokenSecondsMax));
    const tenant = await stores.tenants.ensure(defaultTenantName, nowMs());
    const { keys, masterKey } = await openKeyRing(config, stores, nowMs);
    const metrics = new Metrics(link.number);
    const place = findRedis(config);
    const redis =
      place === undefined ? undefined : await openRedisBus(place, masterKey, stores, metrics.bus('redis'), onProblem);
    closers.push(async () => redis?.close());
    const view = new View();
    const reader = new JournalReader({
      source: stores.journal.openSource(),
      view,
      clocks: systemClocks,
      leaseMs: config.revocationLeaseMs,
      onRegistering: (member) => link.registering(member),
      onProblem,
    });
    closers.push(() => reader.stop());
    link.onReaped((ids) => {
      stores.members.remove(ids).catch((error: unknown) => onProblem('Cannot remove members that are gone', error));
    });
    const barrier = new Barrier({
      members: stores.members,
      reader,
      bus: redis === undefined ? link.bus : layeredBus([link.bus, redis]),
      clocks: systemClocks,
      leaseMs: config.revocationLeaseMs,
      answerMs: config.revocationAnswerMs,
      onProblem,
      observer: metrics.revocations,
    });
    await reader.start();
    const hasher = new HashLanes({
      lanes: share(config.hashLanes, config),
      queueMs: config.hashQueueMs,
      onProblem: (message) => log.error(message),
    });
    closers.push(() => hasher.close());
    metrics.watch({ reader, view, hasher, stores });
    link.onCollectMetrics(() => metrics.snapshot());
    const labKeyPath = await leaveLabKey(config.dataDir, stores, nowMs());
    closers.push(startHousekeeping({ stores, keys, view, config, log, nowMs, forgetMs }, keyReloadMs));

    const signatureChecks = new SignatureChecks((header) => keys.find(header));
    const auditSink = new AuditBuffer({ store: stores.audit, onDropped: metrics.countDroppedAudit, onProblem });
    closers.push(() => auditSink.close());
    const parts = {
      ...stores,
      ...config,
      auditSink,
      hasher,
      loginCache: new LoginCache(config.loginCacheSeconds, () => performance.now()),
      decoyHash: await hasher.hash(new Secret(tenant.id)),
      keys,
      signatureChecks,
      view,
      barrier,
      currency: reader,
      isBusUp: redis === undefined ? undefined : () => redis.isUp,
      expectation: { issuer: config.issuer, audience: config.audience },
      nowMs,
      probeStore: () => stores.probe(),
    };
    const counts = new AnswerCounts();
    const files = certificateFiles(config);
    const certificate = files === undefined ? undefined : followCertificate(files, log, nowMs);
    closers.push(() => certificate?.stop());
    metrics.watchHttp(counts, () => certificate?.current.expiresMs);
    const httpParts: HttpParts = {
      ...config,
      counts,
      authentication: parts,
      workerName: config.exposeWorker === '1' ? link.name : undefined,
      log,
    };
    const isOpen = certificate !== undefined && config.trustedProxies === undefined;
    const peers = isOpen
      ? undefined
      : { mayConnect: trustedPeers(config.trustedProxies), onRefused: metrics.countRefusedConnection };
    const origins = originsOf(config.corsOrigins);
    const listeners = new Listeners(
      config,
      // The operate listener speaks plain HTTP: it is for this machine or a private network, where scrapers and probes know no certificate.
      (name, routes) =>
        createHttpServer(
          name === 'public' ? { ...httpParts, peers, keyPair: certificate, origins } : httpParts,
          config.docs === '0' ? routes : describedRoutes(routes, name === 'public' ? config.issuer : undefined),
        ),
      [
        ...accessTokenRoutes,
        ...sessionRoutes(parts),
        ...accountRoutes(parts),
        ...accountAdminRoutes(parts),
        ...sessionAdminRoutes(parts),
        ...tenantRoutes(parts),
        ...auditRoutes(parts),
        ...signingKeyRoutes(keys, config.issuer),
        ...healthRoutes(parts),
        ...metricsRoutes({
          scrape: scraper(metrics, () => link.collectMetrics(), config.workers),
          contentType: metricsContentType,
        }),
      ],
    );
    closers.push((isQuick) => listeners.close(isQuick));
    const address = await listeners.listen();
    const bySystem = { by: systemOrigin, subject: link.name };
    auditSink.add({ event: 'sys_startup', reason: 'ready', atMs: nowMs(), ...bySystem });
    closers.push(() => auditSink.add({ event: 'sys_shutdown', reason: 'stopped', atMs: nowMs(), ...bySystem }));
    return { ...address, labKeyPath, stop, lookAtCertificate: () => certificate?.look() };
  } catch (error) {
    await stop(true);
    throw error;
  }
};
