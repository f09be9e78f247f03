/**
 * `catalytic-lab naive`: the server that shares nothing, to be measured.
 * @module
 */
import cluster from 'node:cluster';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseDecimal } from '../arrivals/duration.ts';
import { type NaiveOptions, naiveStates, serveNaive } from '../reference/naive-server.ts';
import { say } from '../texts/say.ts';

const between = (minimum: number, maximum: number) => (text: string) => {
  const value = parseDecimal(text);
  if (value === undefined || !Number.isInteger(value) || value < minimum || value > maximum)
    throw new InvalidArgumentError(`Give a whole number from ${minimum} to ${maximum}.`);
  return value;
};

interface Flags extends Omit<NaiveOptions, 'host' | 'closesConnections'> {
  readonly close: boolean;
}

const serve = async ({ close, ...flags }: Flags): Promise<void> => {
  const port = await serveNaive({ ...flags, host: '127.0.0.1', closesConnections: close });
  say(`The naive server answers on http://127.0.0.1:${port} with ${flags.workers} processes`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  await new Promise<void>((resolve) => cluster.disconnect(resolve));
};

/** The command. */
export const naiveCommand = (): Command =>
  new Command('naive')
    .description(
      'Serve a login that shares nothing between its processes, to measure what that costs. It accepts every login.',
    )
    .addOption(
      new Option('--port <n>', 'port on 127.0.0.1; 0 takes a free one').argParser(between(0, 65_535)).default(8100),
    )
    .addOption(new Option('--workers <n>', 'processes').argParser(between(1, 64)).default(4))
    .addOption(
      new Option('--state <what>', 'what each process keeps to itself').choices(naiveStates).default('blacklist'),
    )
    .option('--close', 'end the connection after each answer: each request reaches the next process', false)
    .action(serve);
