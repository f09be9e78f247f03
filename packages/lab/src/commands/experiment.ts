/**
 * `catalytic-lab experiment`: a list of runs, told as one report.
 * @module
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Argument, Command } from 'commander';
import { listenForInterrupt } from '../containment/interrupt.ts';
import type { Experiment } from '../experiments/phase.ts';
import { runExperiment } from '../experiments/run-experiment.ts';
import { week3 } from '../experiments/week3.ts';
import type { Baseline } from '../results/baseline.ts';
import { exitCodes, worstExitCode } from '../results/result.ts';
import { complain, messageOf, say } from '../texts/say.ts';
import { collectCounts } from './parse-options.ts';
import { readBaseline } from './read-baseline.ts';

const experiments: Readonly<Record<string, Experiment>> = { week3 };

interface Flags {
  readonly quick: boolean;
  readonly resume: boolean;
  readonly only?: string;
  readonly service: string;
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
  readonly baseline?: string;
  readonly out?: string;
  readonly alsoCount?: readonly number[];
  readonly process?: readonly string[];
}

const help = `
The targets are started and ended by the experiment itself. Targets with several workers need an empty PostgreSQL database and their Redis; without
--database-url their phases are reported as not measured, and so is the phase with faults without --process.

Ctrl-C keeps what has been measured; --resume with the same --out goes on after it.

Exit codes: 0 every phase that was run passed, else the worst that a run ended with, in the order 4, 5, 3, 2, 6; 3 at least when it was
interrupted; 6 when no phase could be run; 1 wrong usage. The naive server is there to fail, and counts for nothing.

Examples:
  npm run lab -- experiment week3 --quick
      a few minutes, small: shows that everything works
  npm run lab -- experiment week3 --database-url postgres://… --redis-url redis://… --out results/week3
      the whole of it, an hour or two
  npm run lab -- experiment week3 --only 1,2b-2
      two of its phases`;

const baselineOf = (file: string, command: Command): Baseline => {
  try {
    return readBaseline(file);
  } catch (error) {
    return command.error(`error: ${messageOf(error)}`);
  }
};

const run = async (name: string, flags: Flags, command: Command): Promise<void> => {
  const experiment = experiments[name];
  if (experiment === undefined) throw new Error(`There is no experiment ${name}`);
  const only = flags.only?.split(',');
  const phases = experiment.phasesOf(flags.quick).filter(({ id }) => only === undefined || only.includes(id));
  if (phases.length === 0) {
    const ids = experiment.phasesOf(false).map(({ id }) => id);
    complain(`no phase has the id ${flags.only}; there are ${ids.join(', ')}`);
    process.exitCode = exitCodes.usage;
    return;
  }
  const baseline = baselineOf(flags.baseline ?? experiment.baselineFile, command);
  const out = flags.out ?? `results/${name}`;
  mkdirSync(dirname(out), { recursive: true });
  const words = Object.entries({ quick: flags.quick, only: flags.only }).flatMap(([word, value]) =>
    value === undefined || value === false ? [] : [`--${word}${value === true ? '' : ` ${value}`}`],
  );
  const { signal: interrupt } = listenForInterrupt();
  const results = await runExperiment(phases, {
    told: {
      title: experiment.title,
      aboutTokens: experiment.aboutTokens,
      command: ['npm run lab -- experiment', name, ...words].join(' '),
      baseline,
    },
    out,
    service: flags.service,
    databaseUrl: flags.databaseUrl,
    redisUrl: flags.redisUrl,
    alsoCount: flags.alsoCount ?? [],
    processes: flags.process ?? [],
    interrupt,
    isResumed: flags.resume,
    say,
  });
  say(`The report: ${out}.md`);
  const judged = results.filter(({ phase }) => phase.target.kind !== 'naive');
  const endings = judged.flatMap(({ result }) => result?.exit_code ?? []);
  process.exitCode = worstExitCode([
    ...endings,
    ...(interrupt.aborted ? [exitCodes.invalid] : []),
    // Phases that could not be run show nothing.
    ...(judged.length > 0 && endings.length === 0 ? [exitCodes.notJudged] : []),
  ]);
};

/** The command. */
export const experimentCommand = (): Command =>
  new Command('experiment')
    .description('Run a list of loads, each against its target, and report them together.')
    .addArgument(new Argument('<name>', 'which').choices(Object.keys(experiments)))
    .option('--quick', 'a twentieth of the users, for seconds: to see that it works', false)
    .option(
      '--resume',
      'keep the phases that are measured in the result file already, and go on with the others',
      false,
    )
    .option('--only <ids>', 'only these phases, by their ids, separated by commas')
    .option('--service <command>', 'shell command that starts the service', 'npm run --silent catalytic -- serve')
    .option('--database-url <url>', 'empty PostgreSQL database for the targets with several workers')
    .option('--redis-url <url>', 'Redis for them')
    .option(
      '--also-count <pid...>',
      "processes that work for the targets, such as the database: their CPU time counts as the target's",
      collectCounts,
    )
    .option('--process <name=pid...>', 'redis and postgres, to be paused in the phase that has faults')
    .option(
      '--baseline <file>',
      'earlier figures to set its phases beside (default: those that the experiment retells)',
    )
    .option('--out <prefix>', 'beginning of the names of the result files (default: results/NAME)')
    .addHelpText('after', help)
    .action(run);
