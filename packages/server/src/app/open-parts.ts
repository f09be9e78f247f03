/**
 * Everything that a service is made of, opened in the order in which one part needs another.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { systemClocks } from '@catalytic/guard/clocks';
import { forgettingClock } from '@catalytic/guard/forgetting-clock';
import { SignatureChecks } from '@catalytic/guard/signature-checks';
import type { AccountId } from '@catalytic/protocol/ids';
import { keepUntilMs } from '@catalytic/protocol/journal';
import { makeDataFolder } from '../config/data-folder.ts';
import type { Config } from '../config/options.ts';
import { openKeyRing, openStores, share } from '../deployment.ts';
import { AuditBuffer } from '../features/audit/audit-buffer.ts';
import { systemOrigin } from '../features/audit/origins.ts';
import { GuardKeys } from '../features/guard-keys/known-guard-keys.ts';
import { LoginCache } from '../features/passwords/login-cache.ts';
import { Secret } from '../features/secrets/secret.ts';
import { createSigningKey } from '../features/signing-keys/create-signing-key.ts';
import type { KeyRing } from '../features/signing-keys/key-ring.ts';
import type { StoredSigningKey } from '../features/signing-keys/store.ts';
import { defaultTenantName } from '../features/tenants/store.ts';
import { HashLanes } from '../hashing/hash-lanes.ts';
import { labKeyPath, leaveLabKey } from '../lab-key.ts';
import type { RoundTime } from '../run-jobs.ts';
import { leaveTrace } from '../stores/sqlite/trace-of-service.ts';
import type { Stores } from '../stores/stores.ts';
import type { Logger } from '../telemetry/log.ts';
import { Metrics } from '../telemetry/metrics.ts';
import type { Closers } from './closers.ts';
import { followRevocations, type Revocations } from './follow-revocations.ts';
import type { Start } from './start.ts';
import { startHousekeeping } from './start-housekeeping.ts';
import { takeDataFolder } from './take-data-folder.ts';

/**
 * The parts of a running service. The master key is none of them: what needs it has been opened
 * with it.
 */
export interface Parts extends Revocations {
  readonly stores: Stores;
  readonly keys: KeyRing;
  readonly guardKeys: GuardKeys;
  readonly signatureChecks: SignatureChecks;
  readonly hasher: HashLanes;
  /** Hash of a random password; see `PasswordCheckParts`. */
  readonly decoyHash: string;
  /** See `PasswordCheckParts`. */
  readonly onUnreadableHash: (accountId: AccountId) => void;
  readonly loginCache: LoginCache;
  readonly auditSink: AuditBuffer;
  readonly metrics: Metrics;
  /** Whether this process stops, and nobody has taken its place. */
  readonly lifetime: { isEnding: boolean };
  /** Makes a signing key for the place of one that is killed. */
  readonly makeSigningKey: (nowMs: number) => StoredSigningKey;
  readonly nowMs: () => number;
  /** See {@link ServiceAddress}. */
  readonly labKeyPath: string | undefined;
}

/**
 * The database as this process serves it: no worker of a former process, its first tenant, and its
 * keys open.
 */
const prepareDatabase = async (
  config: Config,
  stores: Stores,
  nowMs: () => number,
  onProblem: (message: string) => void,
) => {
  // The process that holds the folder is alone: every registered worker was a process that died
  // without deregistering. Guards are other people's processes, which may live and accept tokens.
  if (config.profile.ownsDataFolder) {
    const rows = await stores.members.list();
    await stores.members.remove(rows.filter(({ kind }) => kind === 'worker').map(({ id }) => id));
  }
  const tokenSecondsMax = await stores.journal.raiseTokenSecondsMax(config.accessTokenSeconds);
  const onStep = (byMs: number): void =>
    onProblem(
      `The wall clock has jumped ${byMs > 0 ? 'ahead' : 'back'} by ${Math.abs(Math.round(byMs / 1000))} s: it was set, or the machine slept; nothing is deleted by it until it has lasted`,
    );
  const keepMs = keepUntilMs(0, tokenSecondsMax);
  const forgetMs = forgettingClock(systemClocks, () => keepMs, onStep);
  // Open, so that a new deployment can be tried; an operator closes it with one command.
  await stores.tenants.ensure({ name: defaultTenantName, registration: 'open', nowMs: nowMs(), by: systemOrigin });
  return { forgetMs, keepMs, ...(await openKeyRing(config, stores, nowMs)) };
};

/** Most accounts that the log names, so that memory and log stay bounded if a whole table is damaged. */
const namedAccountsMax = 1000;

/** Counts each refusal, and names each account in the log once. */
const unreadableHashAlarm = (log: Logger, metrics: Metrics): Parts['onUnreadableHash'] => {
  const named = new Set<AccountId>();
  return (accountId) => {
    metrics.countUnreadableHash();
    if (named.has(accountId) || named.size >= namedAccountsMax) return;
    named.add(accountId);
    log.error({ accountId }, 'Cannot read the stored password hash of an account: no password signs in to it');
  };
};

/**
 * Marks the data folder as one that was served, so that a later start without DATABASE_URL does not
 * begin an empty database there. Where database and master key are elsewhere, the folder may be one
 * that this process cannot write to: no such start can succeed there.
 */
const markDataFolder = ({ profile, dataDir }: Config): void => {
  try {
    makeDataFolder(dataDir);
    leaveTrace(dataDir);
  } catch (error) {
    if (profile.commitsToDataFolder) throw error;
  }
};

/**
 * Opens the parts.
 * @param closers told how each part is closed, also when a later one cannot be opened
 * @throws {ConfigError} when the data folder is in use, or its keys do not open
 */
export const openParts = async ({ config, log, link, onFatal, signal }: Start, closers: Closers): Promise<Parts> => {
  const nowMs = Date.now;
  const onProblem = (message: string, error?: unknown): void => log.warn({ error }, message);
  // Before the database is opened: nothing may touch the file while another command restores it.
  closers.add(takeDataFolder(config));
  // Its process starts while this one opens everything else.
  const hasher = new HashLanes({
    lanes: share(config.hashLanes, config),
    queueMs: config.hashQueueMs,
    onProblem: (message) => log.error(message),
  });
  closers.add(() => hasher.close());
  const decoyHash = hasher.hash(new Secret(randomUUID()));
  decoyHash.catch(() => {});
  const onBudget = (arithmetic: string): void => log.info(arithmetic);
  const listener = { onProblem, onFatal, ...(link.number === 1 && { onBudget }) };
  const stores = await openStores(config, listener, { waitMs: config.databaseWaitSeconds * 1000, signal });
  closers.add(() => stores.close());
  const { keys, masterKey, forgetMs, keepMs } = await prepareDatabase(config, stores, nowMs, onProblem);
  const metrics = new Metrics(link.number);
  const guardKeys = new GuardKeys(stores.guardKeys);
  const revocations = await followRevocations(
    { config, link, stores, masterKey, metrics, keys, keepMs, guardKeys, onProblem },
    closers,
  );
  const { reader, view, polls } = revocations;
  keys.distrust((kid) => view.isKeyRevoked(kid));
  metrics.watch({ reader, view, polls, hasher, stores });
  link.onCollectMetrics(() => metrics.snapshot());
  markDataFolder(config);
  const hasLab = config.lab === '1';
  // One process of the machine, so that there is one key, and one to keep.
  if (hasLab && link.number === 1) await leaveLabKey(config.dataDir, stores, nowMs());
  const time = (): RoundTime => ({ nowMs: nowMs(), forgetMs: forgetMs() });
  closers.add(startHousekeeping({ config, log, link, stores, keys, view, polls, reader, metrics, time }));
  const auditSink = new AuditBuffer({
    store: stores.audit,
    nowMs: () => performance.now(),
    onDropped: metrics.countDroppedAudit,
    onProblem,
  });
  closers.add(() => auditSink.close());
  return {
    ...revocations,
    stores,
    keys,
    guardKeys,
    signatureChecks: new SignatureChecks((header) => keys.find(header)),
    hasher,
    decoyHash: await decoyHash,
    onUnreadableHash: unreadableHashAlarm(log, metrics),
    loginCache: new LoginCache(config.loginCacheSeconds, () => performance.now()),
    auditSink,
    metrics,
    lifetime: { isEnding: false },
    makeSigningKey: (atMs) => createSigningKey(config.signingAlgorithm, masterKey, atMs, atMs),
    nowMs,
    labKeyPath: hasLab ? labKeyPath(config.dataDir) : undefined,
  };
};
