/**
 * `catalytic hash-capacity`: how many logins a second this machine can check.
 * @module
 */
import { Command, Option as Flag, InvalidArgumentError } from 'commander';
import { equalSettings, measureHashing } from '../hashing/measure-hashing.ts';
import { addConfigFlags, configFrom } from './config-flags.ts';
import { teach } from './teach.ts';

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
    .summary('how many passwords a second this machine checks')
    .description(
      'Check passwords for a while with nothing else to do, and print how many a second this machine manages, as JSON.',
    )
    .addOption(new Flag('--seconds <n>', 'how long').argParser(parseSeconds).default(10))
    .action((options: Options, self: Command) => measure(options, self));
  teach(command, [['hash-capacity --seconds 30 --hash-lanes 8', 'measure longer, with other lanes']]);
  return addConfigFlags(command, ['hashLanes']);
};
