/**
 * `catalytic serve`: run the service until it is told to stop.
 * @module
 */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { startService } from '../app.ts';
import { openLog } from '../telemetry/log.ts';
import { addConfigFlags, configFrom } from './config-flags.ts';

/** Longest time a stop may take, milliseconds; what is in flight then is cut off. */
const stopMsMax = 10_000;

const serve = async (command: Command): Promise<void> => {
  const config = configFrom(command);
  const log = openLog(config.logLevel);
  const fail = (error: Error): void => {
    log.fatal({ error }, 'Ending: the service cannot go on');
    process.exit(1);
  };
  process.on('unhandledRejection', (error) => fail(error as Error));
  process.on('uncaughtException', fail);

  // Before the start, so that a stop during it is honoured as well.
  const starting = startService(config, log, fail);
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) return;
    isStopping = true;
    log.info({ signal }, 'Stopping: finishing what is in flight');
    setTimeout(() => {
      log.error('Ending: some requests did not finish in time');
      process.exit(1);
    }, stopMsMax).unref();
    starting
      .then((service) => service.stop())
      .then(
        () => process.exit(0),
        (error: unknown) => fail(error as Error),
      );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);

  const service = await starting;
  const login = `curl -s ${service.url}/auth/register -H 'content-type: application/json' -d '{"email":"ada@example.com","password":"analytical engine no 1"}'`;
  process.stdout.write(
    [
      '',
      `  Catalytic serves on ${service.url}`,
      `  data folder         ${resolve(config.dataDir)}`,
      '',
      '  Next, in another terminal:',
      `    ${login}`,
      `    npm run lab -- run auth --users 50 --target ${service.url}`,
      '',
      '',
    ].join('\n'),
  );
  log.info({ url: service.url, dataDir: resolve(config.dataDir) }, 'Serving');
};

/** The command. */
export const serveCommand = (): Command =>
  addConfigFlags(
    new Command('serve').description(
      'Run the service. Without any configuration it serves on 127.0.0.1:8000 and keeps everything under ./data.',
    ),
  ).action((_options, command: Command) => serve(command));
