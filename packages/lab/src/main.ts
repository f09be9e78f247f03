#!/usr/bin/env node
/**
 * The command line of the load lab.
 * @module
 */
import { Argument, Command, Option as Flag } from 'commander';
import { runScenario } from './commands/run.ts';
import {
  collectCounts,
  newSeed,
  parseCount,
  parseDuration,
  parsePassword,
  parsePercent,
  parsePositive,
  parseTarget,
  parseWait,
  type RunOptions,
} from './commands/run-options.ts';
import { type FaultPlan, type FaultWords, planFaults } from './faults/plan.ts';
import type { Criteria } from './measures/criteria.ts';
import { Progress } from './reports/progress.ts';
import { exitCodes } from './reports/result.ts';
import { summaryLines } from './reports/summary.ts';
import { checkWritable, writeResult } from './reports/write-result.ts';
import { scenarioLines, scenarios } from './scenarios/registry.ts';
import type { Scenario } from './scenarios/scenario.ts';

interface Flags
  extends FaultWords,
    Omit<
      RunOptions,
      'scenario' | 'criteria' | 'faults' | 'out' | 'durationSeconds' | 'waitSeconds' | 'timeoutSeconds'
    > {
  readonly duration: number;
  readonly wait?: readonly [number, number];
  readonly timeout: number;
  readonly p50?: number;
  readonly p95?: number;
  readonly p99?: number;
  readonly failures?: number;
  readonly endpointFailures?: number;
  readonly rejected?: number;
  readonly out?: string;
}

const collect = (word: string, earlier: readonly string[]): readonly string[] => [...earlier, word];

const timestamp = (): string => new Date().toISOString().replace(/[:.]/g, '-').slice(0, 19);

/** The scenario's limits, or those given instead. */
const criteriaOf = ({ criteria }: Scenario, flags: Flags): Criteria => {
  const given = {
    p50MsMax: flags.p50,
    p95MsMax: flags.p95,
    p99MsMax: flags.p99,
    realFailuresPercentMax: flags.failures,
    endpointFailuresPercentMax: flags.endpointFailures,
    rejectedMsMax: flags.rejected,
  };
  return { ...criteria, ...Object.fromEntries(Object.entries(given).filter(([, limit]) => limit !== undefined)) };
};

const run = async (scenario: Scenario, flags: Flags, faults: FaultPlan): Promise<void> => {
  const options: RunOptions = {
    ...flags,
    scenario,
    durationSeconds: flags.duration,
    waitSeconds: flags.wait ?? scenario.waitSeconds,
    timeoutSeconds: flags.timeout,
    criteria: criteriaOf(scenario, flags),
    faults,
    out: flags.out ?? `results/${scenario.name}-${timestamp()}`,
  };
  const notWritable = checkWritable(options.out);
  if (notWritable !== undefined) {
    process.stderr.write(`catalytic-lab: ${notWritable}\n`);
    process.exitCode = exitCodes.usage;
    return;
  }
  const progress = new Progress(process.stdout, options.users, options.durationSeconds);
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort());
  const result = await runScenario(options, progress, interrupt.signal);
  if ('refusal' in result) {
    process.stderr.write(`catalytic-lab: ${result.refusal}\n`);
    process.exitCode = result.exitCode;
    return;
  }
  const files = writeResult(result, options.out);
  for (const line of summaryLines(result, files)) process.stdout.write(`${line}\n`);
  process.exitCode = result.exit_code;
};

// Whoever reads our output may stop reading (`… | head`); the run goes on, and its exit code stays its own.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const program = new Command('catalytic-lab')
  .description('Loads an authentication service over HTTP and says whether what it measured may be believed.')
  .showHelpAfterError()
  // A mistake on the command line must never look like a verdict on the target.
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : exitCodes.usage));

program
  .command('run')
  .description('Run a scenario. With no option: 50 users for 60 seconds against a service started with "npm start".')
  .addArgument(
    new Argument('[scenario]', 'what the users do, see below').choices([...scenarios.keys()]).default('auth'),
  )
  .addOption(new Flag('--target <url>', 'the service').argParser(parseTarget).default('http://127.0.0.1:8000'))
  .addOption(
    new Flag('--users <n>', 'virtual users, each with a connection of its own').argParser(parseCount).default(50),
  )
  .addOption(new Flag('--spawn-rate <n>', 'users started per second').argParser(parsePositive).default(10))
  .addOption(
    new Flag('--duration <time>', 'length of the run, the start of the users included: 90s, 3m, 1h')
      .argParser(parseDuration)
      .default(60, '60s'),
  )
  .addOption(new Flag('--seed <text>', 'same seed, same tasks and waits').default(newSeed(), 'a new one'))
  .addOption(
    new Flag('--wait <a-b>', "wait between two tasks of a user, seconds (default: the scenario's)").argParser(
      parseWait,
    ),
  )
  .addOption(new Flag('--tenant <name>', 'tenant the accounts are imported into').default('lab'))
  .addOption(
    new Flag('--password <text>', 'password of all accounts, at least 15 characters')
      .argParser(parsePassword)
      .default('a load test is not a secret', 'a fixed one'),
  )
  .addOption(
    new Flag(
      '--admin-key-file <file>',
      'admin key that may import accounts, or the key itself in CATALYTIC_LAB_KEY (default: data/lab.key, for a target on this machine; without one each user registers itself)',
    ),
  )
  // Hidden: a key on the command line can be read by everybody on the machine. Here for its environment name.
  .addOption(new Flag('--admin-key <key>').env('CATALYTIC_LAB_KEY').hideHelp())
  .addOption(
    new Flag('--timeout <time>', 'longest wait for an answer; past it the request is a real failure')
      .argParser(parseDuration)
      .default(30, '30s'),
  )
  .addOption(
    new Flag('--target-pid <pid>', 'process of the target on this machine; found by its port when absent').argParser(
      parseCount,
    ),
  )
  .addOption(
    new Flag(
      '--process <name=pid>',
      'a process that faults happen to, with all it started; a file that holds its id will do',
    )
      .argParser(collect)
      .default([], 'none'),
  )
  .addOption(
    new Flag(
      '--proxy <name=port:host:port>',
      'listen on the first port and forward to the second, so that faults can lie between',
    )
      .argParser(collect)
      .default([], 'none'),
  )
  .addOption(
    new Flag(
      '--fault <name:verb@time>',
      'what happens when: kill, pause, resume to a process; delay=50ms, cut, heal to a proxy',
    )
      .argParser(collect)
      .default([], 'none'),
  )
  .addOption(
    new Flag(
      '--also-count <pid...>',
      "processes that work for the target, such as its database: their CPU is no stranger's",
    )
      .argParser(collectCounts)
      .default([], 'none'),
  )
  .addOption(
    new Flag(
      '--logouts-per-second <n>',
      'revocation, open model: sign sessions in first, then sign out at this rate',
    ).argParser(parsePositive),
  )
  .addOption(
    new Flag('--sessions <n>', 'open model: most sessions to sign in; the run ends with the last').argParser(
      parseCount,
    ),
  )
  .addOption(
    new Flag('--probe-every <n>', 'revocation: one logout in so many is verified all the time until it is refused')
      .argParser(parseCount)
      .default(10),
  )
  .addOption(new Flag('--p50 <ms>', 'criterion: median of all requests').argParser(parsePositive))
  .addOption(new Flag('--p95 <ms>', 'criterion').argParser(parsePositive))
  .addOption(new Flag('--p99 <ms>', 'criterion').argParser(parsePositive))
  .addOption(new Flag('--failures <percent>', 'criterion: real failures of all requests').argParser(parsePercent))
  .addOption(
    new Flag('--endpoint-failures <percent>', 'criterion: real failures of each endpoint').argParser(parsePercent),
  )
  .addOption(
    new Flag('--rejected <ms>', 'criterion: a logout answered until every worker refuses').argParser(parsePositive),
  )
  .addOption(new Flag('--out <prefix>', 'beginning of the names of the result files (default: results/SCENARIO-TIME)'))
  .addHelpText(
    'after',
    `
Scenarios, with weights and waits:
${scenarioLines().join('\n')}

  Each has criteria of its own; --p50, --p95, --p99, --failures, --endpoint-failures and --rejected add to them or replace them.
  "revocation" reaches every worker of the target when that is started with EXPOSE_WORKER=1, and otherwise asks over fresh connections.
  With --logouts-per-second, --users is the number of accounts and the most connections in use at once.

Exit codes:
  0  every criterion passed                 3  the run is invalid: do not believe it
  1  wrong usage, nothing was measured      4  consistency violated: a revoked token was accepted
  2  a criterion failed                     5  the target was unreachable

  The worst that can be said of a run is what it ends with: 4, then 5, 3, 2.

Examples:
  npm run lab -- run auth
      50 users for a minute against a service started here with "npm start"
  npm run lab -- run auth --users 1000 --spawn-rate 50 --duration 3m --out results/baseline
      the load of the report of 3 October 2025
  npm run lab -- run auth --seed a1b2 --p95 200 --failures 0.1
      the schedule of an earlier run, held to stricter limits
  npm run lab -- run auth --process postgres=DATA/postmaster.pid --fault postgres:pause@30s --fault postgres:resume@33s
      the database freezes for three seconds
  npm run lab -- run revocation --users 50 --duration 1m
      does a signed-out token die at once, on every worker?
  npm run lab -- run revocation --logouts-per-second 200 --duration 30s
      the same when logouts come at their own pace, however slow the answers are`,
  )
  .action((name: string, flags: Flags) => {
    const scenario = scenarios.get(name);
    return scenario === undefined
      ? program.error(`error: there is no scenario "${name}"`)
      : run(scenario, flags, plan(flags));
  });

const plan = (flags: Flags): FaultPlan => {
  try {
    return planFaults(flags, flags.duration);
  } catch (error) {
    return program.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  }
};

await program.parseAsync();
