/**
 * `catalytic-lab run`: refuse options that cannot work, prepare, load, judge.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { paths } from '@catalytic/protocol/paths';
import { openTimeline } from '../faults/timeline.ts';
import { isOpen } from '../generators/load-plan.ts';
import { prepareLoad, startLoad } from '../generators/local-load.ts';
import { openGenerators } from '../generators/many-generators.ts';
import type { Dashboard } from '../live/dashboard.ts';
import { ConsistencyChecker } from '../measures/consistency.ts';
import { limitsOf, type OutageOptions, type RunOptions } from '../options/run-options.ts';
import { openFilesMax, portsPerAddress, refuseLimits } from '../probes/limits.ts';
import { takeMeasuringTurn } from '../probes/measuring-turn.ts';
import { exitCodes, type RunResult } from '../results/result.ts';
import { lanesPerGuard } from '../scenarios/guards.ts';
import { usesAccounts } from '../scenarios/scenario.ts';
import { type AccountSource, prepareAccounts, unpreparedAccounts } from '../targets/accounts.ts';
import { findAdminKey } from '../targets/admin-key.ts';
import { Connection } from '../targets/connection.ts';
import { remedyFor } from '../targets/failures.ts';
import { refusesToConnect } from '../targets/reach.ts';
import { reachGuarded } from '../targets/reach-guarded.ts';
import { Workers } from '../targets/workers.ts';
import { type LoadSource, load } from './load.ts';

/** Connections to every worker of a target, at most. */
const connectionsToWorkers = 256;

/** Why there is no result. */
export interface Refusal {
  /** One sentence. */
  readonly refusal: string;
  readonly exitCode: number;
}

/** Says why a run cannot start; `undefined` when it can. */
const refuseStart = (options: RunOptions): string | undefined => {
  const { scenario, processes, users, sourceAddresses } = options;
  const { asksEveryWorker, name } = scenario;
  if (options.logoutsPerSecond !== undefined && !asksEveryWorker)
    return `Cannot run ${name} with --logouts-per-second: it belongs to the scenario "revocation"; --rate is the open model of any other`;
  if (asksEveryWorker && isOpen(options) && options.logoutsPerSecond === undefined)
    return `Cannot run ${name} with --rate: its open model is --logouts-per-second`;
  const { guards } = options;
  if (processes > 1 && (asksEveryWorker || scenario.isBroken === true || guards.length > 0))
    return `Cannot run ${name} in ${processes} processes: what it measures must be seen by one; leave --processes out`;
  const pool = scenario.custom?.dataPool;
  if (pool?.order === 'unique' && pool.rows.length < users)
    return `Cannot run ${users} users: each needs a row of its own, the data pool of ${name} has ${pool.rows.length}; give it more rows, or use sequential()`;
  const limit = refuseLimits({
    users,
    processes,
    addresses: sourceAddresses?.count ?? 1,
    otherConnections: (asksEveryWorker ? connectionsToWorkers : 0) + lanesPerGuard * guards.length,
    openFilesMax: openFilesMax(),
    portsPerAddress: portsPerAddress(),
  });
  if (limit !== undefined) return limit;
  const measuring = takeMeasuringTurn();
  return measuring === undefined ? undefined : `Cannot measure now: ${measuring}`;
};

/**
 * Says why the target cannot be reached; `undefined` when it answers, whatever it answers. A
 * foreign service is asked nothing.
 */
const reach = async (
  options: RunOptions,
  dashboard: Dashboard,
  interrupted: AbortSignal,
): Promise<string | undefined> => {
  const { target, scenario } = options;
  const limits = limitsOf(options);
  if (!usesAccounts(scenario)) {
    const failure = await refusesToConnect(target, limits, interrupted);
    return (
      failure &&
      `Cannot reach ${target}: ${failure}; ${remedyFor(failure, target) ?? 'start the service, or name another with --target'}`
    );
  }
  const probe = new Connection(target, limits);
  const giveUp = (): void => void probe.destroy();
  interrupted.addEventListener('abort', giveUp);
  const reply = await probe.send({ method: 'GET', path: paths.ready });
  interrupted.removeEventListener('abort', giveUp);
  await probe.destroy();
  if ('failure' in reply)
    return `Cannot reach ${target}: ${reply.failure}; ${remedyFor(reply.failure, target) ?? 'start the service with "npm start", or name another with --target'}`;
  if (reply.status !== 200) dashboard.say(`GET ${paths.ready} answers ${reply.status}, not 200; the run goes on`);
  return undefined;
};

/** Asks each guarded API once. @returns why the run cannot start */
const refuseGuards = async (
  options: RunOptions,
  dashboard: Dashboard,
  interrupted: AbortSignal,
): Promise<Refusal | undefined> => {
  for (const { url, mode } of options.guards) {
    const found = await reachGuarded(url, limitsOf(options), interrupted);
    if ('refusal' in found)
      return {
        refusal: found.refusal,
        exitCode: found.kind === 'unreachable' ? exitCodes.unreachable : exitCodes.usage,
      };
    const isAway = found.kind === 'unavailable';
    dashboard.say(`Tokens are tried at ${url}, too (${mode})${isAway ? '; it answers 503, the run goes on' : ''}`);
  }
  return undefined;
};

/**
 * Prepares the accounts. A service behind a load balancer keeps its admin routes at another
 * address.
 */
const prepareUsers = async (
  options: RunOptions,
  dashboard: Dashboard,
  interrupted: AbortSignal,
): Promise<AccountSource> => {
  const { operateTarget = options.target, tenant, password } = options;
  const runTag = `${Date.now().toString(36)}${randomBytes(2).toString('hex')}`;
  if (!usesAccounts(options.scenario)) {
    if (options.adminKeyFile !== undefined)
      dashboard.say(`The admin key is not used: ${options.scenario.name} does not say "accounts: true"`);
    return unpreparedAccounts({ runTag, tenant, password });
  }
  const connection = new Connection(operateTarget, limitsOf(options));
  interrupted.addEventListener('abort', () => void connection.destroy());
  const accounts = await prepareAccounts(
    connection,
    {
      key: findAdminKey(operateTarget, { key: options.adminKey, file: options.adminKeyFile }),
      tenant,
      users: options.users,
      password,
      runTag,
    },
    (done) => dashboard.say(`Imported ${done} of ${options.users} accounts into tenant ${tenant}`),
  ).finally(() => connection.destroy());
  if (accounts.reason !== undefined) dashboard.say(`Each user registers itself: ${accounts.reason}`);
  return accounts;
};

/**
 * Looks for the target's workers and reports them, because the result depends on which workers were
 * asked.
 */
const findWorkers = async (options: RunOptions, dashboard: Dashboard): Promise<Workers | undefined> => {
  if (!options.scenario.asksEveryWorker) return undefined;
  const workers = new Workers(options.target, limitsOf(options));
  await workers.search();
  const { names } = workers;
  dashboard.say(
    names.length === 0
      ? 'The target does not name its workers (EXPOSE_WORKER=1 makes it): dead tokens are tried over fresh connections'
      : `Found ${names.length} ${names.length === 1 ? 'worker' : 'workers'}: ${names.join(', ')}`,
  );
  return workers;
};

/** A prepared run, and how to release it. */
interface PreparedRun {
  readonly source: LoadSource;
  destroy(): Promise<unknown>;
}

const prepareHere = async (
  options: RunOptions,
  accounts: AccountSource,
  dashboard: Dashboard,
  interrupted: AbortSignal,
): Promise<PreparedRun> => {
  const workers = await findWorkers(options, dashboard);
  const parts = { accounts, checker: new ConsistencyChecker(), workers };
  const prepared = await prepareLoad(options, parts, (text) => dashboard.say(text), interrupted);
  return {
    source: {
      accounts,
      workerNames: () => workers?.names,
      start: (startMs, outage) => startLoad(options, prepared, startMs, outage),
    },
    destroy: async () => workers?.destroy(),
  };
};

const prepareElsewhere = async (
  options: RunOptions,
  accounts: AccountSource,
  dashboard: Dashboard,
  interrupted: AbortSignal,
): Promise<PreparedRun> => {
  const generators = await openGenerators(options, accounts, (text) => dashboard.say(text), interrupted);
  return {
    source: { accounts, workerNames: () => undefined, start: (startMs) => generators.start(startMs) },
    destroy: async () => generators.close(),
  };
};

const prepare = async (options: RunOptions, dashboard: Dashboard, interrupted: AbortSignal): Promise<PreparedRun> => {
  const accounts = await prepareUsers(options, dashboard, interrupted);
  return options.processes === 1
    ? prepareHere(options, accounts, dashboard, interrupted)
    : prepareElsewhere(options, accounts, dashboard, interrupted);
};

/** Prints which parts will be broken, and which will not. */
const sayOutage = ({ plan, leftOut, leaseSeconds }: OutageOptions, say: (line: string) => void): void => {
  say(`Outages: ${plan.length === 0 ? 'none' : plan.join(', ')}; the lease is taken to be ${leaseSeconds} s (--lease)`);
  if (leftOut.length > 0) say(`Left out, not declared: ${leftOut.join('; ')}`);
};

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

/** The open model ends with its last session. */
const endWithSessions = (options: RunOptions): RunOptions =>
  options.logoutsPerSecond === undefined || options.sessions === undefined
    ? options
    : {
        ...options,
        durationSeconds: Math.min(options.durationSeconds, options.sessions / options.logoutsPerSecond),
      };

/**
 * Runs a scenario.
 * @param dashboard where it is shown
 * @param interrupted ends the run early when it is aborted; the measurements so far are reported
 * @returns the result, or the reason why there is none
 */
export const runScenario = async (
  asked: RunOptions,
  dashboard: Dashboard,
  interrupted: AbortSignal,
): Promise<RunResult | Refusal> => {
  const options = endWithSessions(asked);
  const refusal = refuseStart(options);
  if (refusal !== undefined) return { refusal, exitCode: exitCodes.usage };
  const faults = await openTimeline(options.faults).catch((error: Error) => error.message);
  if (typeof faults === 'string') return { refusal: faults, exitCode: exitCodes.usage };
  if (options.outage !== undefined) sayOutage(options.outage, (line) => dashboard.say(line));
  let prepared: PreparedRun | undefined;
  try {
    const unreachable = await reach(options, dashboard, interrupted);
    const refused = unreachable === undefined ? await refuseGuards(options, dashboard, interrupted) : undefined;
    const ready =
      unreachable === undefined && refused === undefined
        ? await prepare(options, dashboard, interrupted).catch(asError)
        : undefined;
    if (!(ready instanceof Error)) prepared = ready;
    if (interrupted.aborted)
      return {
        refusal: 'Interrupted before the first user started: nothing was measured',
        exitCode: exitCodes.invalid,
      };
    if (ready instanceof Error)
      return { refusal: `Cannot prepare the run: ${ready.message}`, exitCode: exitCodes.usage };
    if (refused !== undefined) return refused;
    if (prepared === undefined) return { refusal: unreachable ?? '', exitCode: exitCodes.unreachable };
    return await load(options, prepared.source, faults, dashboard, interrupted);
  } finally {
    await Promise.all([prepared?.destroy(), faults.close()]);
  }
};
