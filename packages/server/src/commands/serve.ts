/**
 * `catalytic serve`: runs the service until a signal stops it.
 * @module
 */
import cluster from 'node:cluster';
import { resolve } from 'node:path';
import { Command, Option as Flag } from 'commander';
import type { RunningService, startService } from '../app.ts';
import type { ServiceAddress } from '../cluster/messages.ts';
import { Supervisor } from '../cluster/supervisor.ts';
import { aloneLink, SupervisedLink } from '../cluster/worker-link.ts';
import { isLoopback } from '../config/addresses.ts';
import { writeCompiledModules } from '../config/compiled-modules.ts';
import { isNewDataFolder } from '../config/data-folder.ts';
import type { Config } from '../config/options.ts';
import { ConfigError } from '../config/read-config.ts';
import type { StopManner } from '../http/stop-manner.ts';
import { checkExposure } from '../preflight/check-exposure.ts';
import { checkBacklog, checkFiles, fittingConnections } from '../preflight/check-machine.ts';
import { checkNoRedis } from '../preflight/check-redis.ts';
import { type Finding, lineOf } from '../preflight/finding.ts';
import { type Machine, readMachine } from '../preflight/read-machine.ts';
import { type Logger, openLog } from '../telemetry/log.ts';
import { addConfigFlags, configFrom } from './config-flags.ts';
import { greeting } from './greeting.ts';
import { addHelpExamples } from './help-examples.ts';

/**
 * Longest time a stop may take, milliseconds. Requests that are still in flight then are cut off.
 */
const stopMsMax = 10_000;

/** A start of the service. */
interface Start {
  readonly config: Config;
  readonly log: Logger;
  /** Warnings for the log. */
  readonly limits: readonly Finding[];
}

type Fail = (error: Error) => void;

/** Ends the process on an unexpected error and logs the reason. */
const failLoudly = (log: Logger): Fail => {
  const fail = (error: Error): void => {
    log.fatal({ error }, 'Ending: the service cannot go on');
    process.exit(1);
  };
  process.on('unhandledRejection', (error) => fail(error as Error));
  process.on('uncaughtException', fail);
  // Node prints the warnings of libraries as text, which no reader of the log understands.
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => log.warn({ warning: `${name}: ${message}` }, 'A library has warned'));
  return fail;
};

/** Stops once, however many signals arrive, and within a bounded time. */
const stopOnce = (
  log: Logger,
  fail: Fail,
  stop: (manner: StopManner) => Promise<void>,
): ((manner: StopManner) => void) => {
  let isStopping = false;
  return (manner) => {
    if (isStopping) return;
    isStopping = true;
    log.info('Stopping: finishing what is in flight');
    setTimeout(() => {
      log.error('Ending: some requests did not finish in time');
      process.exit(1);
    }, stopMsMax).unref();
    stop(manner).then(
      () => process.exit(0),
      (error: unknown) => fail(error as Error),
    );
  };
};

/**
 * SIGTERM comes from a process manager or an orchestrator, which may send clients here for some
 * seconds more. SIGINT comes from a person at the keyboard: stop now.
 */
const stopOnSignals = (stop: (manner: StopManner) => void): void => {
  process.on('SIGTERM', () => stop('last'));
  process.on('SIGINT', () => stop('quick'));
};

/**
 * Limits of the machine that are too small, settings without effect, and settings that open too
 * much. The service starts in spite of them.
 */
const limitsOf = (config: Config, machine: Machine): readonly Finding[] =>
  [
    checkFiles(config, machine),
    checkBacklog(config, machine),
    ...checkNoRedis(config),
    ...checkExposure(config),
  ].filter(({ level }) => level !== 'ok');

const announce = ({ config, log, limits }: Start, service: ServiceAddress): void => {
  for (const finding of limits) log.warn(lineOf(finding));
  process.stdout.write(greeting(config, service));
  const { url, operateUrl } = service;
  log.info({ url, operateUrl, dataDir: resolve(config.dataDir), workers: config.workers }, 'Serving');
};

/**
 * Loads the service only in a process that serves: a supervisor, and every other command, starts
 * faster without it.
 */
const startServing: typeof startService = async (start) => {
  const service = await (await import('../app.ts')).startService(start);
  writeCompiledModules();
  return service;
};

/** This process serves, alone. */
const serveAlone = async (start: Start): Promise<void> => {
  const { config, log } = start;
  const fail = failLoudly(log);
  // Listened for before the start, so that a signal during the start stops it too.
  const starting = startServing({ config, log, link: aloneLink(), onFatal: fail });
  stopOnSignals(stopOnce(log, fail, async (manner) => (await starting).stop(manner)));
  const service = await starting;
  if (config.tlsCertFile !== undefined)
    process.on('SIGHUP', () => {
      log.info('Reloading: looking at the certificate');
      service.lookAtCertificate();
    });
  announce(start, service);
};

const supervise = async (start: Start): Promise<void> => {
  const { config, log } = start;
  const fail = failLoudly(log);
  const supervisor = new Supervisor({
    args: process.argv.slice(2),
    workers: config.workers,
    databaseWaitMs: config.databaseWaitSeconds * 1000,
    log,
    onFailure: (reason, exitCode) => {
      process.stderr.write(`catalytic: ${reason}\n`);
      setTimeout(() => process.exit(exitCode), stopMsMax);
      supervisor.stop('quick').then(() => process.exit(exitCode), fail);
    },
  });
  stopOnSignals(stopOnce(log, fail, (manner) => supervisor.stop(manner)));
  process.on('SIGHUP', () => {
    log.info('Reloading: replacing the workers one after the other');
    supervisor.reload().catch(fail);
  });
  // A first start that fails is reported to `onFailure`, at the latest when the attempts are used
  // up.
  const service = await supervisor.start().catch(() => undefined);
  if (service !== undefined) announce(start, service);
};

const serveSupervised = async (config: Config, log: Logger, workerNumber: number): Promise<void> => {
  const fail = failLoudly(log);
  const link = new SupervisedLink(workerNumber);
  const waiting = new AbortController();
  let starting: Promise<RunningService>;
  const stop = stopOnce(log, fail, async (manner) => {
    waiting.abort();
    await (await starting).stop(manner);
  });
  link.onStop(stop);
  process.on('SIGTERM', () => stop('last'));
  // A terminal sends these to the whole process group; the supervisor alone acts on them.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  starting = startServing({ config, log, link, onFatal: fail, signal: waiting.signal });
  try {
    link.ready(await starting);
  } catch (error) {
    // Stopped while it waited for the database.
    if ((error as Error).name === 'AbortError') process.exit(0);
    if (!(error instanceof ConfigError)) throw error;
    await link.refused(error.message, error.exitCode);
    process.exit(error.exitCode);
  }
};

/**
 * Whether this start serves the load lab too: asked for, or a trial on one's own machine.
 * @param isTrial whether "npm start" runs it
 */
const servesLab = ({ lab, profile, host, dataDir }: Config, isTrial: boolean): boolean =>
  lab === undefined ? isTrial && profile.ownsDataFolder && isLoopback(host) && isNewDataFolder(dataDir) : lab === '1';

const serve = async (command: Command): Promise<void> => {
  const asked = configFrom(command);
  const { workerNumber, trial = false } = command.opts<{ workerNumber?: string; trial?: boolean }>();
  const machine = readMachine();
  const config = {
    ...asked,
    // Connections beyond that would take the files that the database and the log need.
    maxConnections: fittingConnections(asked, machine),
    lab: servesLab(asked, trial) ? '1' : '0',
  };
  const log = openLog(config.logLevel);
  if (!config.profile.servesManyProcesses && config.workers > 1)
    throw new ConfigError(
      `Cannot run ${config.workers} workers on SQLite, which serves one process; set DATABASE_URL to a PostgreSQL server, or WORKERS=1`,
    );
  const start = { config, log, limits: limitsOf(asked, machine) };
  if (!config.profile.servesManyProcesses) await serveAlone(start);
  else if (cluster.isPrimary) await supervise(start);
  else await serveSupervised(config, log, Number(workerNumber));
};

/** The command. */
export const serveCommand = (): Command => {
  const command = new Command('serve')
    .summary('run the service')
    .description(
      'Run the service. Without any configuration it serves on 127.0.0.1:8000 and keeps everything under ./data. With DATABASE_URL it runs several workers on PostgreSQL, and SIGHUP replaces them one by one. SIGTERM stops it and lets requests in flight finish.',
    )
    // The supervisor gives this flag to each of its workers.
    .addOption(new Flag('--worker-number <number>').hideHelp())
    .addOption(
      new Flag(
        '--trial',
        'what "npm start" adds: the first start on this machine alone leaves a key for the load lab, as LAB=1 does; with LAB=0 none',
      ),
    )
    .action((_options, self: Command) => serve(self));
  addHelpExamples(
    command,
    [
      ['serve', 'on 127.0.0.1:8000, data in ./data ("npm start" adds --trial)'],
      ['serve --port 8080 --login-cache-seconds 300', 'flags win over the environment'],
      ['serve --config production.env', 'settings from a file, below both'],
      ['serve --lab', 'with a key for the load lab in the data folder'],
    ],
    [
      [0, 'stopped by a signal'],
      [1, 'the service could not go on: the log says why'],
      [2, 'not started: the message names the flag, the setting or the state, and what to do'],
      [3, 'not started: the database could not be reached within DATABASE_WAIT_SECONDS'],
    ],
  );
  return addConfigFlags(command);
};
