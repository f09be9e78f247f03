/**
 * `catalytic hash-capacity`: measures how many passwords a second this machine checks.
 * @module
 */
import { Command, Option as Flag, InvalidArgumentError } from 'commander';
import { equalSettings, measureHashing } from '../hashing/measure-hashing.ts';
import { busyRemark } from '../preflight/capacity.ts';
import { watchOthers } from '../preflight/watch-others.ts';
import { addConfigFlags, configFrom } from './config-flags.ts';
import { counted } from './counted.ts';
import { addHelpExamples } from './help-examples.ts';

interface Options {
  readonly seconds: number;
  readonly json?: boolean;
}

const secondsMax = 600;

const parseSeconds = (text: string): number => {
  const seconds = Number(text);
  if (seconds > 0 && seconds <= secondsMax) return seconds;
  throw new InvalidArgumentError(`Give a number of seconds up to ${secondsMax}.`);
};

const measure = async ({ seconds: asked, json = false }: Options, command: Command): Promise<void> => {
  const { hashLanes } = configFrom(command);
  const [own] = equalSettings;
  const othersPercent = watchOthers();
  const [rate] = await measureHashing(hashLanes, [own], asked, (message) => process.stderr.write(`${message}\n`));
  const busyPercent = othersPercent();
  const { seconds = 0, checked = 0, perSecond = 0 } = rate ?? {};
  const result = {
    lanes: hashLanes,
    seconds: Number(seconds.toFixed(2)),
    checked,
    per_second: Number(perSecond.toFixed(1)),
    others_percent: busyPercent === undefined ? null : Number(busyPercent.toFixed(1)),
  };
  process.stdout.write(
    json
      ? `${JSON.stringify(result)}\n`
      : `Hash capacity C is ${perSecond.toFixed(1)} passwords/s: ${checked} in ${seconds.toFixed(1)} s with ${counted(hashLanes, 'lane')}${busyRemark(busyPercent)}.\n` +
          'A sign-in or a registration hashes one password; those beyond the capacity are answered 503 with Retry-After.\n',
  );
};

/** The command. */
export const hashCapacityCommand = (): Command => {
  const command = new Command('hash-capacity')
    .summary('measure how many passwords a second this machine checks')
    .description('Check passwords for some seconds and print the rate. Run it while nothing else runs.')
    .addOption(new Flag('--seconds <n>', 'how long').argParser(parseSeconds).default(10))
    .addOption(new Flag('--json', 'print it as JSON'))
    .action((options: Options, self: Command) => measure(options, self));
  addHelpExamples(command, [
    ['hash-capacity --seconds 30 --hash-lanes 8', 'measure longer, with other lanes'],
    ['hash-capacity --json', 'for a script'],
  ]);
  return addConfigFlags(command, ['hashLanes']);
};
