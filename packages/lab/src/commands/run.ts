/**
 * `catalytic-lab run`: prepare, load, judge, report.
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { paths } from '@catalytic/protocol/paths';
import { type Crowd, startCrowd } from '../arrivals/closed-users.ts';
import { scheduleFingerprint } from '../arrivals/schedule.ts';
import { ConsistencyChecker } from '../measures/consistency.ts';
import { Recorder } from '../measures/recorder.ts';
import { Sampler } from '../measures/sampler.ts';
import { GeneratorProbe } from '../probes/generator.ts';
import { openFilesMax, readCpuTimes } from '../probes/machine.ts';
import { takeMeasuringTurn } from '../probes/measuring-turn.ts';
import { findListener, TargetProcesses } from '../probes/target-process.ts';
import { buildResult } from '../reports/build-result.ts';
import { csvFiles } from '../reports/csv.ts';
import { markdownReport } from '../reports/markdown.ts';
import type { Progress } from '../reports/progress.ts';
import type { RunResult } from '../reports/result.ts';
import { actAuth, authBehaviour } from '../scenarios/auth.ts';
import { VirtualUser } from '../scenarios/virtual-user.ts';
import { type AccountSource, prepareAccounts } from '../targets/accounts.ts';
import { Connection, type ConnectionLimits } from '../targets/connection.ts';
import type { RunOptions } from './run-options.ts';

/** Exit codes of the lab. */
export const exitCodes = { passed: 0, usage: 1, criterionFailed: 2, invalid: 3, violated: 4, unreachable: 5 } as const;

const limits: ConnectionLimits = { connectMs: 10_000, answerMs: 30_000 };
/** Longest wait for answers after the end, and after an interrupt, milliseconds. */
const drainMs = 10_000;
const interruptedDrainMs = 1000;
/** Descriptors besides the connections: files, event loop, DNS. */
const descriptorsSpare = 64;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Says why a run cannot start; `undefined` when it can. */
const refuseStart = (options: RunOptions): string | undefined => {
  const files = openFilesMax();
  const needed = options.users + descriptorsSpare;
  if (files !== undefined && needed > files)
    return `Cannot run ${options.users} users: they need ${needed} open files, this shell allows ${files}; run "ulimit -n ${needed}" first`;
  const holder = takeMeasuringTurn();
  if (holder !== undefined)
    return `Cannot measure now: process ${holder} is measuring on this machine; wait for it, two runs would measure each other`;
  return undefined;
};

const isReady = async (connection: Connection): Promise<boolean> => {
  const reply = await connection.send({ method: 'GET', path: paths.ready });
  return 'status' in reply && reply.status === 200;
};

interface Running {
  readonly crowd: Crowd;
  readonly connections: Connection[];
  readonly recorder: Recorder;
  readonly checker: ConsistencyChecker;
}

const startUsers = (options: RunOptions, accounts: AccountSource): Running => {
  const recorder = new Recorder();
  const checker = new ConsistencyChecker();
  const connections: Connection[] = [];
  const crowd = startCrowd({
    users: options.users,
    spawnRate: options.spawnRate,
    seed: options.seed,
    behaviour: { ...authBehaviour, waitMs: [options.waitSeconds[0] * 1000, options.waitSeconds[1] * 1000] },
    create: (index) => {
      const connection = new Connection(options.target, limits);
      connections.push(connection);
      const credentials = accounts.credentialsOf(index);
      return new VirtualUser({ connection, credentials, recorder, checker, nowMs: () => performance.now() });
    },
    enter: async (user) => (accounts.kind === 'imported' || (await user.register())) && (await user.login()),
    act: actAuth,
    isReady: (user) => user.holdsToken,
  });
  return { crowd, connections, recorder, checker };
};

/**
 * Runs the scenario `auth`.
 * @param progress where it is shown
 * @param interrupted ends the run early when it is aborted; what was measured so far is reported
 * @returns the result, or the reason why there is none, with its exit code
 */
export const runAuth = async (
  options: RunOptions,
  progress: Progress,
  interrupted: AbortSignal,
): Promise<RunResult | { readonly refusal: string; readonly exitCode: number }> => {
  const refusal = refuseStart(options);
  if (refusal !== undefined) return { refusal, exitCode: exitCodes.usage };
  const probe = new Connection(options.target, limits);
  try {
    if (!(await isReady(probe)))
      return {
        refusal: `Cannot reach ${options.target}: GET ${paths.ready} does not answer 200; start the service with "npm start"`,
        exitCode: exitCodes.unreachable,
      };
    progress.say(`Preparing ${options.users} accounts …`);
    const runTag = `${options.seed}-${Date.now().toString(36)}`;
    const accounts = await prepareAccounts(probe, { ...options, runTag });
    if (accounts.reason !== undefined) progress.say(`Each user registers itself: ${accounts.reason}`);
    return await load(options, accounts, progress, interrupted);
  } finally {
    await probe.destroy();
  }
};

const load = async (
  options: RunOptions,
  accounts: AccountSource,
  progress: Progress,
  interrupted: AbortSignal,
): Promise<RunResult> => {
  const targetPid = options.targetPid ?? findTarget(options.target);
  const target = targetPid === undefined ? undefined : new TargetProcesses(targetPid);
  const generator = new GeneratorProbe();
  const startedAt = new Date();
  const before = {
    cpu: process.cpuUsage(),
    machine: readCpuTimes(),
    target: target?.read({ search: true }),
    atMs: performance.now(),
  };
  const { crowd, connections, recorder, checker } = startUsers(options, accounts);
  const sampler = new Sampler(recorder, generator, target);
  let steadyFromMs: number | undefined;
  let steadySecond = 0;

  const endMs = before.atMs + options.durationSeconds * 1000;
  while (performance.now() < endMs && !interrupted.aborted) {
    const nextMs = before.atMs + (sampler.seconds.length + 1) * 1000;
    // Short naps: an interrupt must end the run at once, the steady window start when it starts.
    while (performance.now() < nextMs && !interrupted.aborted) {
      await sleep(Math.min(50, Math.max(1, nextMs - performance.now())));
      if (steadyFromMs === undefined && crowd.ready === options.users) {
        steadyFromMs = performance.now();
        steadySecond = sampler.seconds.length;
        recorder.startSteady(steadyFromMs);
      }
    }
    progress.show(sampler.turnSecond(crowd.started), steadyFromMs !== undefined);
  }
  crowd.stop();
  const stoppedAtMs = performance.now();
  // Unreferenced: once the users have ended, nothing waits for the rest of the time.
  const drained = new Promise<void>((resolve) => {
    setTimeout(resolve, interrupted.aborted ? interruptedDrainMs : drainMs).unref();
  });
  await Promise.race([crowd.ended, drained]);
  const cutRequests = crowd.inFlight;
  const after = {
    cpu: process.cpuUsage(before.cpu),
    machine: readCpuTimes(),
    target: target?.read({ search: true }),
    atMs: performance.now(),
  };
  const connects = connections.reduce((sum, connection) => sum + connection.connects, 0);
  await Promise.all(connections.map((connection) => connection.destroy()));
  generator.stop();
  progress.end();
  return buildResult({
    scenario: 'auth',
    options,
    weights: authBehaviour.weights,
    fingerprint: scheduleFingerprint(options.seed, options.users, {
      ...authBehaviour,
      waitMs: [options.waitSeconds[0] * 1000, options.waitSeconds[1] * 1000],
    }),
    accounts,
    startedAt,
    startedAtMs: before.atMs,
    stoppedAtMs,
    steadyFromMs,
    steadySecond,
    isInterrupted: interrupted.aborted,
    recorder,
    checker,
    crowd,
    cutRequests,
    connects,
    targetPid,
    before,
    after,
    seconds: sampler.seconds,
    history: sampler.history,
  });
};

const findTarget = (target: string): number | undefined => {
  const { hostname, port, protocol } = new URL(target);
  const isHere = /^(127\.|localhost$|\[::1\]$)/.test(hostname);
  return isHere ? findListener(Number(port || (protocol === 'https:' ? 443 : 80))) : undefined;
};

/** Writes all files of a result. Returns their names. */
export const writeResult = (result: RunResult, out: string): readonly string[] => {
  mkdirSync(dirname(out), { recursive: true });
  const files: Record<string, string> = {
    '.json': `${JSON.stringify(result, null, 1)}\n`,
    '.md': markdownReport(result),
    ...Object.fromEntries(Object.entries(csvFiles(result)).map(([end, text]) => [`${end}.csv`, text])),
  };
  return Object.entries(files).map(([end, text]) => {
    writeFileSync(`${out}${end}`, text);
    return `${out}${end}`;
  });
};
