/**
 * `catalytic hash-capacity`: how many logins a second this machine can check.
 * @module
 */
import { Command, Option as Flag, InvalidArgumentError } from 'commander';
import { Secret } from '../features/secrets/secret.ts';
import { HashLanes } from '../hashing/hash-lanes.ts';
import { addConfigFlags, configFrom } from './config-flags.ts';

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
  const lanes = new HashLanes({
    lanes: hashLanes,
    queueMs: 60_000,
    onProblem: (message) => process.stderr.write(`${message}\n`),
  });
  const password = new Secret('a password that nobody uses');
  const storedHash = await lanes.hash(password);
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  let checked = 0;
  const keepBusy = async (): Promise<void> => {
    while (performance.now() < endMs) {
      await lanes.verify(storedHash, password);
      checked += 1;
    }
  };
  await Promise.all(Array.from({ length: hashLanes }, keepBusy));
  const elapsed = (performance.now() - startMs) / 1000;
  await lanes.close();
  const result = {
    lanes: hashLanes,
    seconds: Number(elapsed.toFixed(2)),
    checked,
    per_second: Number((checked / elapsed).toFixed(1)),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
};

/** The command. */
export const hashCapacityCommand = (): Command => {
  const command = new Command('hash-capacity')
    .description(
      'Check passwords for a while with nothing else to do, and print how many a second this machine manages, as JSON.',
    )
    .addOption(new Flag('--seconds <n>', 'how long').argParser(parseSeconds).default(10))
    .action((options: Options, self: Command) => measure(options, self));
  return addConfigFlags(command, ['hashLanes']);
};
