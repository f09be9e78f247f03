#!/usr/bin/env node
/**
 * The command line of the load lab.
 * @module
 */
import { Argument, Command } from 'commander';
import { compareResults } from './commands/compare.ts';
import { experimentCommand } from './commands/experiment.ts';
import { gateCommand } from './commands/gate.ts';
import { naiveCommand } from './commands/naive.ts';
import { planRun, type RunPlan } from './commands/plan-run.ts';
import { runScenario } from './commands/run.ts';
import { type Flags, runFlags } from './commands/run-flags.ts';
import { runHelp } from './commands/run-help.ts';
import type { RunOptions } from './commands/run-options.ts';
import type { Criteria } from './measures/criteria.ts';
import { Progress } from './reports/progress.ts';
import { exitCodes } from './reports/result.ts';
import { summaryLines } from './reports/summary.ts';
import { checkWritable, writeResult } from './reports/write-result.ts';
import { scenarios } from './scenarios/registry.ts';
import type { Scenario } from './scenarios/scenario.ts';

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

const run = async (scenario: Scenario, flags: Flags, plan: RunPlan): Promise<void> => {
  const options: RunOptions = {
    ...flags,
    scenario,
    durationSeconds: flags.duration,
    waitSeconds: flags.wait ?? scenario.waitSeconds,
    timeoutSeconds: flags.timeout,
    criteria: criteriaOf(scenario, flags),
    ...plan,
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

const runCommand = program
  .command('run')
  .description('Run a scenario. With no option: 50 users for 60 seconds against a service started with "npm start".')
  .addArgument(
    new Argument('[scenario]', 'what the users do, see below').choices([...scenarios.keys()]).default('auth'),
  )
  .addHelpText('after', runHelp())
  .action((name: string, flags: Flags) => {
    const scenario = scenarios.get(name);
    return scenario === undefined
      ? program.error(`error: there is no scenario "${name}"`)
      : run(scenario, flags, plan(scenario, flags));
  });

program
  .command('compare')
  .description('Put two results side by side: ratios here, and with --html one page with both in its charts.')
  .argument('<a.json>', 'result of a run')
  .argument('<b.json>', 'result of the run it is compared with')
  .option('--html <file>', 'the report of the first, with the second laid over it')
  .action((first: string, second: string, { html }: { readonly html?: string }) => {
    const lines = compareResults(first, second, html);
    if (typeof lines === 'string') {
      process.stderr.write(`catalytic-lab: ${lines}\n`);
      process.exitCode = exitCodes.usage;
    } else for (const line of lines) process.stdout.write(`${line}\n`);
  });

for (const flag of runFlags) runCommand.addOption(flag);

const plan = (scenario: Scenario, flags: Flags): RunPlan => {
  try {
    return planRun(scenario, flags);
  } catch (error) {
    return program.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  }
};

program.addCommand(gateCommand()).addCommand(experimentCommand()).addCommand(naiveCommand());

await program.parseAsync();
// Explicitly: after connections were reset while they were being ended, as faults do, Node 26 can wait for ever at its natural end.
process.exit();
