/**
 * `catalytic-lab capacity`: how many users does a target carry, and what limits it?
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Argument, Command } from 'commander';
import { type Capacity, findCapacity } from '../capacity/find-capacity.ts';
import { capacityMarkdown, lawSentence, limitSentence } from '../capacity/markdown.ts';
import { measureSpawnRate, spawnRateUnmeasured } from '../capacity/spawn-rate.ts';
import { listenForInterrupt } from '../containment/interrupt.ts';
import { exitCodes } from '../results/result.ts';
import { findScenario, selectTasks } from '../scenarios/load-scenario.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { printableJson } from '../texts/printable.ts';
import { redactWords } from '../texts/redact.ts';
import { messageOf, say } from '../texts/say.ts';
import { refuseIgnored } from './ignored-options.ts';
import { makeAbortWhen, makeCriteria } from './make-criteria.ts';
import { newSeed, parseCount, parseDuration, parsePositive } from './parse-options.ts';
import { type Flags as RunFlags, readRunWords } from './run-flags.ts';

interface Flags {
  readonly from: number;
  readonly usersMax: number;
  readonly step: number;
  readonly refine: number;
  readonly spawnRate?: number;
  readonly seed: string;
  readonly out?: string;
}

const scenarioUsual = 'auth';
/** Options that a step sets itself. */
const own = /^--(users|duration|stages?|rate|logouts-per-second|sessions)(=|$)/;

const help = `
Each step is a separate run with twice the users of the one before, until more users bring no more throughput; then come some steps in
between. Every other option of "run" may be given too, and goes to each step: --target, --admin-key-file, --wait, --processes, …

The report says what the target carries (optimal, acceptable, degraded, saturated), which resource was at its limit, and where the
scalability law through the steps has its ceiling, with an interval.

Exit codes: 0 a limit of the target was found, 1 wrong usage, 3 none was found: it carries all the users, or the generator gave out first;
4 consistency violated.

Examples:
  npm run lab -- capacity auth
      against a service started with "npm start"
  npm run lab -- capacity verify --from 1 --wait 0-0 --out results/verify
      users that never wait: how much work gets done at a time
  npm run lab -- capacity auth --users-max 20000 --processes 2 --admin-key-file lab.key --target http://127.0.0.1:8001`;

const exitCodeOf = ({ steps, limit, ended }: Capacity): number => {
  if (steps.some(({ exitCode }) => exitCode === exitCodes.violated)) return exitCodes.violated;
  return ended === 'completed' && limit.users !== undefined && !limit.isGenerator
    ? exitCodes.passed
    : exitCodes.invalid;
};

/**
 * Reads the options of the steps as `run` will, so that a mistake is refused before the target is
 * asked anything.
 */
const readWords = async (
  name: string,
  words: readonly string[],
  command: Command,
): Promise<{ readonly scenario: Scenario; readonly runFlags: RunFlags }> => {
  try {
    const { flags, typed } = readRunWords(words);
    const scenario = selectTasks(await findScenario(name), flags.tag, flags.excludeTag);
    refuseIgnored(typed, { scenario, flags, stages: [] });
    makeAbortWhen(flags.abortWhen, makeCriteria(scenario, flags));
    return { runFlags: flags, scenario };
  } catch (error) {
    return command.error(`error: ${messageOf(error).replace(/^error: /, '')}`);
  }
};

const run = async (word: string, flags: Flags, command: Command): Promise<void> => {
  // Options of `run` are words like others here: without a scenario the first of them stands in its
  // place.
  const isNamed = !word.startsWith('-');
  const name = isNamed ? word : scenarioUsual;
  const runWords = command.args.slice(isNamed ? 1 : 0);
  const refused = runWords.find((word) => own.test(word));
  if (refused !== undefined) command.error(`error: ${refused} is what each step decides itself`);
  const { scenario, runFlags } = await readWords(name, runWords, command);
  const interrupt = listenForInterrupt().signal;
  const out = flags.out ?? `results/capacity-${name.replace(/.*\//, '').replace(/\.\w+$/, '')}`;
  mkdirSync(dirname(out), { recursive: true });
  const typed = ['npm run lab -- capacity', ...redactWords(process.argv.slice(3))].join(' ');
  const spawnRate = flags.spawnRate ?? (await measureSpawnRate({ scenario, options: runFlags, interrupt, say }));
  const capacity = await findCapacity(
    {
      scenario: name,
      usersFirst: flags.from,
      usersMax: flags.usersMax,
      refinements: flags.refine,
      stepSeconds: flags.step,
      spawnRate,
      runWords,
      out,
      interrupt,
      say,
      report: (found) => {
        writeFileSync(`${out}.json`, `${printableJson(found, 2)}\n`);
        writeFileSync(`${out}.md`, capacityMarkdown(found, typed));
      },
    },
    flags.seed,
  );
  if (capacity === undefined) {
    process.exitCode = exitCodes.usage;
    return;
  }
  say(`\n${limitSentence(capacity)}\n${lawSentence(capacity)}\nThe report: ${out}.md`);
  process.exitCode = exitCodeOf(capacity);
};

/** The command. */
export const capacityCommand = (): Command =>
  new Command('capacity')
    .description('Find how many users the target carries, and what holds it up.')
    .usage('[scenario] [options] [options of run]')
    .addArgument(new Argument('[scenario]', 'what the users do: a name or a file, as for "run"').default(scenarioUsual))
    .option('--from <n>', 'users of the first step', parseCount, 50)
    .option('--users-max <n>', 'users of the last step, if none saturates the target before', parseCount, 10_000)
    .option('--step <time>', 'steady part of each step', parseDuration, 20)
    .option('--refine <n>', 'steps in between, once a step is saturated', parseCount, 2)
    .option(
      '--spawn-rate <n>',
      `users started per second (default: half of the first logins that Catalytic takes; ${spawnRateUnmeasured} for a service that is not ours)`,
      parsePositive,
    )
    .option('--seed <text>', 'same seed, same tasks and waits', newSeed())
    .option('--out <prefix>', 'beginning of the names of the result files (default: results/capacity-SCENARIO)')
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText('after', help)
    .action(run);
