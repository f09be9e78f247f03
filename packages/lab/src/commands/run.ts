/**
 * `catalytic-lab run`: refuse what cannot work, prepare, load, judge.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { paths } from '@catalytic/protocol/paths';
import { openTimeline } from '../faults/timeline.ts';
import { ConsistencyChecker } from '../measures/consistency.ts';
import { openFilesMax } from '../probes/machine.ts';
import { takeMeasuringTurn } from '../probes/measuring-turn.ts';
import type { Progress } from '../reports/progress.ts';
import { exitCodes, type RunResult } from '../reports/result.ts';
import { type AccountSource, prepareAccounts } from '../targets/accounts.ts';
import { findAdminKey } from '../targets/admin-key.ts';
import { Connection } from '../targets/connection.ts';
import { Workers } from '../targets/workers.ts';
import { load } from './load.ts';
import { limitsOf, type OutageOptions, type RunOptions } from './run-options.ts';
import { signIn } from './sign-in.ts';
import { intendedStarts, type Prepared } from './start-load.ts';

/** Descriptors besides the users' connections: files, event loop, DNS; and connections to every worker. */
const descriptorsSpare = 64;
const descriptorsForWorkers = 256;

/** Why there is no result. */
export interface Refusal {
  /** One sentence. */
  readonly refusal: string;
  readonly exitCode: number;
}

/** Says why a run cannot start; `undefined` when it can. */
const refuseStart = (options: RunOptions): string | undefined => {
  const { asksEveryWorker, name } = options.scenario;
  if (options.logoutsPerSecond !== undefined && !asksEveryWorker)
    return `Cannot run ${name} with --logouts-per-second: the open model belongs to the scenario "revocation"`;
  const files = openFilesMax();
  const needed = options.users + descriptorsSpare + (asksEveryWorker ? descriptorsForWorkers : 0);
  if (files !== undefined && needed > files)
    return `Cannot run ${options.users} users: they need ${needed} open files, the limit of this shell is ${files} (RLIMIT_NOFILE); raise it with "ulimit -n ${needed}", as root where that is refused`;
  const holder = takeMeasuringTurn();
  if (holder !== undefined)
    return `Cannot measure now: process ${holder} is measuring on this machine; wait for it, two runs would measure each other`;
  return undefined;
};

/** Says why the target cannot be reached; `undefined` when it answers, whatever it answers. */
const reach = async (probe: Connection, target: string, progress: Progress): Promise<string | undefined> => {
  const reply = await probe.send({ method: 'GET', path: paths.ready });
  if ('failure' in reply)
    return `Cannot reach ${target}: ${reply.failure}; start the service with "npm start", or name another with --target`;
  if (reply.status !== 200) progress.say(`GET ${paths.ready} answers ${reply.status}, not 200; the run goes on`);
  return undefined;
};

/** A service behind a load balancer keeps its admin routes on an address of their own. */
const prepareUsers = async (
  options: RunOptions,
  progress: Progress,
  interrupted: AbortSignal,
): Promise<AccountSource> => {
  const { operateTarget = options.target } = options;
  const connection = new Connection(operateTarget, limitsOf(options));
  interrupted.addEventListener('abort', () => void connection.destroy());
  const accounts = await prepareAccounts(
    connection,
    {
      key: findAdminKey(operateTarget, { key: options.adminKey, file: options.adminKeyFile }),
      tenant: options.tenant,
      users: options.users,
      password: options.password,
      runTag: `${Date.now().toString(36)}${randomBytes(2).toString('hex')}`,
    },
    (done) => progress.say(`Imported ${done} of ${options.users} accounts into tenant ${options.tenant}`),
  ).finally(() => connection.destroy());
  if (accounts.reason !== undefined) progress.say(`Each user registers itself: ${accounts.reason}`);
  return accounts;
};

/** Looks for the target's workers; says what it found, because who was asked decides what the result means. */
const findWorkers = async (options: RunOptions, progress: Progress): Promise<Workers | undefined> => {
  if (!options.scenario.asksEveryWorker) return undefined;
  const workers = new Workers(options.target, limitsOf(options));
  await workers.search();
  const { names } = workers;
  progress.say(
    names.length === 0
      ? 'The target does not name its workers (EXPOSE_WORKER=1 makes it): dead tokens are tried over fresh connections'
      : `Found ${names.length} ${names.length === 1 ? 'worker' : 'workers'}: ${names.join(', ')}`,
  );
  return workers;
};

const prepare = async (options: RunOptions, progress: Progress, interrupted: AbortSignal): Promise<Prepared> => {
  const checker = new ConsistencyChecker();
  const accounts = await prepareUsers(options, progress, interrupted);
  const sessions =
    options.logoutsPerSecond === undefined
      ? undefined
      : await signIn(options, intendedStarts(options), accounts, checker, (text) => progress.say(text), interrupted);
  return { accounts, checker, sessions, workers: await findWorkers(options, progress) };
};

/** Says what will be broken, and what will not. */
const sayOutage = ({ plan, leftOut, leaseSeconds }: OutageOptions, say: (line: string) => void): void => {
  say(`Outages: ${plan.length === 0 ? 'none' : plan.join(', ')}; the lease is taken to be ${leaseSeconds} s (--lease)`);
  if (leftOut.length > 0) say(`Left out, not declared: ${leftOut.join('; ')}`);
};

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
 * @param progress where it is shown
 * @param interrupted ends the run early when it is aborted; what was measured so far is reported
 * @returns the result, or the reason why there is none
 */
export const runScenario = async (
  asked: RunOptions,
  progress: Progress,
  interrupted: AbortSignal,
): Promise<RunResult | Refusal> => {
  const options = endWithSessions(asked);
  const refusal = refuseStart(options);
  if (refusal !== undefined) return { refusal, exitCode: exitCodes.usage };
  const faults = await openTimeline(options.faults).catch((error: Error) => error.message);
  if (typeof faults === 'string') return { refusal: faults, exitCode: exitCodes.usage };
  if (options.outage !== undefined) sayOutage(options.outage, (line) => progress.say(line));
  const probe = new Connection(options.target, limitsOf(options));
  interrupted.addEventListener('abort', () => void probe.destroy());
  let prepared: Prepared | undefined;
  try {
    const unreachable = await reach(probe, options.target, progress);
    prepared = unreachable === undefined ? await prepare(options, progress, interrupted) : undefined;
    if (interrupted.aborted)
      return {
        refusal: 'Interrupted before the first user started: nothing was measured',
        exitCode: exitCodes.invalid,
      };
    if (prepared === undefined) return { refusal: unreachable ?? '', exitCode: exitCodes.unreachable };
    return await load(options, prepared, faults, progress, interrupted);
  } finally {
    await Promise.all([probe.destroy(), prepared?.workers?.destroy(), faults.close()]);
  }
};
