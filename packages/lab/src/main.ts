#!/usr/bin/env node
/**
 * The command line of the load lab.
 * @module
 */
import { Argument, Command } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { capacityCommand } from './commands/capacity.ts';
import { compareResults } from './commands/compare.ts';
import { experimentCommand } from './commands/experiment.ts';
import { finishRun } from './commands/finish-run.ts';
import { gateCommand } from './commands/gate.ts';
import { listenForInterrupt } from './commands/interrupt.ts';
import { makeOptions } from './commands/make-options.ts';
import { naiveCommand } from './commands/naive.ts';
import { runScenario } from './commands/run.ts';
import { type Flags, runFlags } from './commands/run-flags.ts';
import { runHelp } from './commands/run-help.ts';
import type { RunOptions } from './commands/run-options.ts';
import { refuseInOneLine, type Typed, typedOf } from './commands/usage-errors.ts';
import { endProcess } from './containment/at-exit.ts';
import { describeFault } from './containment/describe-fault.ts';
import { containFaults, hearFaults } from './containment/stray-faults.ts';
import { isOpen } from './generators/local-load.ts';
import { createDashboard } from './live/dashboard.ts';
import { exitCodes } from './reports/result.ts';
import { checkWritable } from './reports/write-result.ts';
import { findScenario } from './scenarios/load-scenario.ts';
import { complain, messageOf, say } from './texts/say.ts';

const run = async (options: RunOptions, isPlain: boolean): Promise<void> => {
  const notWritable = checkWritable(options.out);
  if (notWritable !== undefined) {
    complain(notWritable);
    process.exitCode = exitCodes.usage;
    return;
  }
  containFaults();
  const { signal, stop } = listenForInterrupt();
  const dashboard = createDashboard({
    out: process.stdout,
    input: process.stdin,
    isPlain,
    users: options.users,
    durationSeconds: options.durationSeconds,
    canScale: !isOpen(options),
    stop,
  });
  const result = await runScenario(options, dashboard, signal);
  if ('refusal' in result) {
    complain(result.refusal);
    process.exitCode = result.exitCode;
    return;
  }
  process.exitCode = await finishRun(result, options);
};

// Whoever reads our output may stop reading (`… | head`), a terminal may be closed, a scenario may do anything: the run goes on without.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

/** A fault of the lab itself, which cannot go on. What must be undone is undone. */
const fail = (thrown: unknown): never => {
  const { message, traceback } = describeFault(thrown);
  complain(`Cannot go on: ${traceback === '' ? message : traceback}`);
  return endProcess(exitCodes.invalid);
};
hearFaults(fail);

const program = new Command('catalytic-lab')
  .description('Loads an authentication service over HTTP and says whether what it measured may be believed.')
  .version(manifest.version, '--version', 'version of the lab');

const runCommand = program
  .command('run')
  .description('Run a scenario. With no option: 50 users for 60 seconds against a service started with "npm start".')
  .addArgument(
    new Argument('[scenario]', 'what the users do: a name, see below, or a file such as ./my-scenario.ts').default(
      'auth',
    ),
  )
  .addHelpText('after', runHelp())
  .action(async (name: string, flags: Flags, command: Command) =>
    run(await optionsOf(name, flags, typedOf(command)), flags.plain === true),
  );

program
  .command('compare')
  .description('Put two results side by side: ratios here, and with --html one page with both in its charts.')
  .argument('<a.json>', 'result of a run')
  .argument('<b.json>', 'result of the run it is compared with')
  .option('--html <file>', 'the report of the first, with the second laid over it')
  .action((first: string, second: string, { html }: { readonly html?: string }) => {
    const lines = compareResults(first, second, html);
    if (typeof lines === 'string') {
      complain(lines);
      process.exitCode = exitCodes.usage;
    } else for (const line of lines) say(line);
  });

for (const flag of runFlags) runCommand.addOption(flag);

const optionsOf = async (name: string, flags: Flags, typed: Typed): Promise<RunOptions> => {
  try {
    return makeOptions(name, await findScenario(name), flags, typed);
  } catch (error) {
    return runCommand.error(`error: ${messageOf(error)}`);
  }
};

program
  .addCommand(capacityCommand())
  .addCommand(gateCommand())
  .addCommand(experimentCommand())
  .addCommand(naiveCommand());

refuseInOneLine(program);

await program.parseAsync().catch(fail);
// Explicitly: after connections were reset while they were being ended, as faults do, Node 26 can wait for ever at its natural end.
endProcess(Number(process.exitCode ?? exitCodes.passed));
