/**
 * `catalytic-lab run`: one run, from the words of the command line to its files and its exit code.
 * @module
 */
import { Argument, Command } from 'commander';
import { listenForInterrupt } from '../containment/interrupt.ts';
import { containFaults } from '../containment/stray-faults.ts';
import { isOpen } from '../generators/load-plan.ts';
import { createDashboard } from '../live/dashboard.ts';
import type { RunOptions } from '../options/run-options.ts';
import { checkWritable } from '../reports/write-result.ts';
import { exitCodes } from '../results/result.ts';
import { finishRun } from '../runs/finish-run.ts';
import { runScenario } from '../runs/run.ts';
import { findScenario } from '../scenarios/load-scenario.ts';
import { complain, messageOf } from '../texts/say.ts';
import { makeOptions } from './make-options.ts';
import { type Flags, runFlags } from './run-flags.ts';
import { runHelp } from './run-help.ts';
import { typedOf } from './usage-errors.ts';

const optionsOf = async (name: string, flags: Flags, command: Command): Promise<RunOptions> => {
  try {
    return makeOptions(name, await findScenario(name), flags, typedOf(command));
  } catch (error) {
    return command.error(`error: ${messageOf(error)}`);
  }
};

/** Runs a scenario on the terminal. @returns the exit code */
const run = async (options: RunOptions, isPlain: boolean): Promise<number> => {
  const notWritable = checkWritable(options.out);
  if (notWritable !== undefined) {
    complain(notWritable);
    return exitCodes.usage;
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
  if (!('refusal' in result)) return finishRun(result, options);
  complain(result.refusal);
  return result.exitCode;
};

/** The command. */
export const runCommand = (): Command => {
  const command = new Command('run')
    .description('Run a scenario. With no option: 50 users for 60 seconds against a service started with "npm start".')
    .addArgument(
      new Argument('[scenario]', 'what the users do: a name, see below, or a file such as ./my-scenario.ts').default(
        'auth',
      ),
    )
    .addHelpText('after', runHelp())
    .action(async (name: string, flags: Flags) => {
      process.exitCode = await run(await optionsOf(name, flags, command), flags.plain === true);
    });
  for (const flag of runFlags) command.addOption(flag);
  return command;
};
