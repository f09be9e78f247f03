/**
 * The composition: joins features to stores and serves them.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { systemClocks } from '@catalytic/guard/clocks';
import { JournalReader } from '@catalytic/guard/journal-reader';
import { SignatureChecks } from '@catalytic/guard/signature-checks';
import { View } from '@catalytic/guard/view';
import { keepUntilMs } from '@catalytic/protocol/journal';
import { layeredBus } from './bus/layered-bus.ts';
import { RedisBus } from './bus/redis-bus.ts';
import type { RedisPlace } from './bus/redis-place.ts';
import type { ServiceAddress } from './cluster/messages.ts';
import type { WorkerLink } from './cluster/worker-link.ts';
import { originsOf, trustedPeers } from './config/addresses.ts';
import { certificateFiles } from './config/certificate.ts';
import { makeDataFolder } from './config/data-folder.ts';
import type { Config } from './config/options.ts';
import { ConfigError } from './config/read-config.ts';
import { findRedis, openKeyRing, openStores, share } from './deployment.ts';
import { accessTokenRoutes } from './features/access-tokens/routes.ts';
import { accountAdminRoutes } from './features/accounts/admin-routes.ts';
import { accountRoutes } from './features/accounts/routes.ts';
import { AuditBuffer } from './features/audit/audit-buffer.ts';
import { systemOrigin } from './features/audit/origins.ts';
import { auditRoutes } from './features/audit/routes.ts';
import { healthRoutes } from './features/health/routes.ts';
import { metricsRoutes } from './features/metrics/routes.ts';
import { LoginCache } from './features/passwords/login-cache.ts';
import { Barrier } from './features/revocation/barrier.ts';
import type { BusObserver } from './features/revocation/hint-bus.ts';
import { deriveKey } from './features/secrets/seal.ts';
import { Secret } from './features/secrets/secret.ts';
import { sessionAdminRoutes } from './features/sessions/admin-routes.ts';
import { sessionRoutes } from './features/sessions/routes.ts';
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
import { lockDataFolder } from './stores/sqlite/database.ts';
import { glanceAtDatabase } from './stores/sqlite/examine-database.ts';
import { explain } from './stores/sqlite/explain.ts';
import type { Stores } from './stores/stores.ts';
import { AnswerCounts } from './telemetry/answer-counts.ts';
import type { Logger } from './telemetry/log.ts';
import { Metrics, metricsContentType, scraper } from './telemetry/metrics.ts';

/** A service that answers requests. */
export interface RunningService extends ServiceAddress {
  /** Looks at the files of the certificate now, where there are any. */
  lookAtCertificate(): void;
  /** Stops accepting, finishes what is in flight, closes the stores. @param isQuick see {@link HttpServer.close} */
  stop(isQuick: boolean): Promise<void>;
}

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

/**
 * Opens the bus over Redis. Its key is that of this database and its generation: what is said in a copy of it, or was said before a backup
 * was restored, is not heard.
 */
const openRedisBus = async (
  place: RedisPlace,
  masterKey: Secret<Buffer>,
  { deployment }: Stores,
  observer: BusObserver,
  onProblem: (message: string, error?: unknown) => void,
): Promise<RedisBus> => {
  const key = deriveKey(masterKey.reveal(), `catalytic bus ${await deployment.scope()}`);
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
    // Its process starts while this one opens everything else.
    const hasher = new HashLanes({
      lanes: share(config.hashLanes, config),
      queueMs: config.hashQueueMs,
      onProblem: (message) => log.error(message),
    });
    closers.push(() => hasher.close());
    const decoyHash = hasher.hash(new Secret(randomUUID()));
    decoyHash.catch(() => {});
    const stores = await openStores(config, onProblem, onFatal);
    closers.push(() => stores.close());
    // Whoever holds the folder is alone: what is registered belonged to a process that ended without a word.
    if (config.databaseUrl === undefined)
      await stores.members.remove((await stores.members.list()).map(({ id }) => id));

    const tokenSecondsMax = await stores.journal.raiseTokenSecondsMax(config.accessTokenSeconds);
    const forgetMs = forgettingClock(systemClocks, keepUntilMs(0, tokenSecondsMax));
    await stores.tenants.ensure(defaultTenantName, nowMs());
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
      answerMs: config.revocationAnswerMs,
      onProblem,
      observer: metrics.revocations,
    });
    await reader.start();
    barrier.watch();
    closers.push(() => barrier.close());
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
      decoyHash: await decoyHash,
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
