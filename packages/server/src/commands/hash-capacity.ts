/**
 * `catalytic hash-capacity`: measures how many passwords a second this machine checks.
 * @module
 */
import { Command, Option as Flag, InvalidArgumentError } from 'commander';
import { equalSettings, measureHashing } from '../hashing/measure-hashing.ts';
import { addConfigFlags, configFrom } from './config-flags.ts';
import { addHelpExamples } from './help-examples.ts';

interface Options {
  readonly seconds: number;
}

const secondsMax = 600;

const parseSeconds = (text: string): number => {
  const seconds = Number(text);
  if (seconds > 0 && seconds <= secondsMax) return seconds;
  throw new InvalidArgumentError(`Give a number of seconds up to ${secondsMax}.`);
};

const measure = async ({ seconds }: Options, command: Command): Promise<void> => {
  const { hashLanes } = configFrom(command);
  const [own] = equalSettings;
  const [rate] = await measureHashing(hashLanes, [own], seconds, (message) => process.stderr.write(`${message}\n`));
  const result = {
    lanes: hashLanes,
    seconds: Number((rate?.seconds ?? 0).toFixed(2)),
    checked: rate?.checked,
    per_second: Number((rate?.perSecond ?? 0).toFixed(1)),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
};

/** The command. */
export const hashCapacityCommand = (): Command => {
  const command = new Command('hash-capacity')
    .summary('measure how many passwords a second this machine checks')
    .description('Check passwords for some seconds and print the rate as JSON. Run it while nothing else runs.')
    .addOption(new Flag('--seconds <n>', 'how long').argParser(parseSeconds).default(10))
    .action((options: Options, self: Command) => measure(options, self));
  addHelpExamples(command, [['hash-capacity --seconds 30 --hash-lanes 8', 'measure longer, with other lanes']]);
  return addConfigFlags(command, ['hashLanes']);
};
