#!/usr/bin/env node
/**
 * `catalytic-guard`: the command of the sidecar.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { openLog } from './log.ts';
import { runSidecar } from './run-sidecar.ts';
import { help, readSettings, SettingsError } from './settings.ts';

const fail = (error: unknown, code: number): void => {
  process.stderr.write(`catalytic-guard: ${(error as Error).message}\n`);
  process.exitCode = code;
};

/** Errors of settings: ours, the guard's, and those of the parser of words. */
const isOfSettings = (error: unknown): boolean => error instanceof SettingsError || error instanceof TypeError;

/** From the package's manifest, which stands nearer to the sources than to what is made of them. */
const versionOf = (): string => {
  const places = ['../../package.json', '../../../../package.json'].map((path) => new URL(path, import.meta.url));
  const manifest = places.find((place) => existsSync(place)) as URL;
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
};

const run = async (): Promise<void> => {
  const settings = readSettings(process.argv.slice(2), process.env);
  const log = openLog((line) => process.stderr.write(line));
  // A signal may come before the guard has registered: then it must still leave.
  const starting = runSidecar(settings, log);
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    // A second signal is one of haste.
    if (isStopping) process.exit(1);
    isStopping = true;
    log.info(`Stopping on ${signal}`);
    void starting
      .then((sidecar) => sidecar.stop())
      .then(
        () => log.info('Stopped'),
        () => {},
      );
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  await starting;
};

// Without a listener this signal would open Node's inspector, in which any user of the machine can run code.
process.on('SIGUSR1', () => {});

const [first] = process.argv.slice(2);
if (process.argv.includes('--help') || first === '-h') process.stdout.write(help);
else if (first === '--version') process.stdout.write(`${versionOf()}\n`);
else await run().catch((error: unknown) => fail(error, isOfSettings(error) ? 2 : 1));
