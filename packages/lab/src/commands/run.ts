/**
 * `catalytic-lab run`: refuse what cannot work, prepare, load, judge.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { paths } from '@catalytic/protocol/paths';
import { openTimeline } from '../faults/timeline.ts';
import { openFilesMax } from '../probes/machine.ts';
import { takeMeasuringTurn } from '../probes/measuring-turn.ts';
import type { Progress } from '../reports/progress.ts';
import { exitCodes, type RunResult } from '../reports/result.ts';
import { type AccountSource, prepareAccounts } from '../targets/accounts.ts';
import { findAdminKey } from '../targets/admin-key.ts';
import { Connection } from '../targets/connection.ts';
import { load } from './load.ts';
import { limitsOf, type RunOptions } from './run-options.ts';

/** Descriptors besides the connections: files, event loop, DNS. */
const descriptorsSpare = 64;

/** Why there is no result. */
export interface Refusal {
  /** One sentence. */
  readonly refusal: string;
  readonly exitCode: number;
}

/** Says why a run cannot start; `undefined` when it can. */
const refuseStart = (options: RunOptions): string | undefined => {
  const files = openFilesMax();
  const needed = options.users + descriptorsSpare;
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

const prepare = async (probe: Connection, options: RunOptions, progress: Progress): Promise<AccountSource> => {
  const accounts = await prepareAccounts(
    probe,
    {
      key: findAdminKey(options.target, { key: options.adminKey, file: options.adminKeyFile }),
      tenant: options.tenant,
      users: options.users,
      password: options.password,
      runTag: `${Date.now().toString(36)}${randomBytes(2).toString('hex')}`,
    },
    (done) => progress.say(`Imported ${done} of ${options.users} accounts into tenant ${options.tenant}`),
  );
  if (accounts.reason !== undefined) progress.say(`Each user registers itself: ${accounts.reason}`);
  return accounts;
};

/**
 * Runs the scenario `auth`.
 * @param progress where it is shown
 * @param interrupted ends the run early when it is aborted; what was measured so far is reported
 * @returns the result, or the reason why there is none
 */
export const runAuth = async (
  options: RunOptions,
  progress: Progress,
  interrupted: AbortSignal,
): Promise<RunResult | Refusal> => {
  const refusal = refuseStart(options);
  if (refusal !== undefined) return { refusal, exitCode: exitCodes.usage };
  const faults = await openTimeline(options.faults).catch((error: Error) => error.message);
  if (typeof faults === 'string') return { refusal: faults, exitCode: exitCodes.usage };
  const probe = new Connection(options.target, limitsOf(options));
  interrupted.addEventListener('abort', () => void probe.destroy());
  try {
    const unreachable = await reach(probe, options.target, progress);
    const accounts = unreachable === undefined ? await prepare(probe, options, progress) : undefined;
    if (interrupted.aborted)
      return {
        refusal: 'Interrupted before the first user started: nothing was measured',
        exitCode: exitCodes.invalid,
      };
    if (accounts === undefined) return { refusal: unreachable ?? '', exitCode: exitCodes.unreachable };
    return await load(options, accounts, faults, progress, interrupted);
  } finally {
    await probe.destroy();
    await faults.close();
  }
};
