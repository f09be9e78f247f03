#!/usr/bin/env node
/**
 * The command line of the load lab.
 * @module
 */
import { Command } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { capacityCommand } from './commands/capacity.ts';
import { compareCommand } from './commands/compare.ts';
import { experimentCommand } from './commands/experiment.ts';
import { gateCommand } from './commands/gate.ts';
import { naiveCommand } from './commands/naive.ts';
import { runCommand } from './commands/run.ts';
import { refuseInOneLine } from './commands/usage-errors.ts';
import { endProcess } from './containment/at-exit.ts';
import { describeFault } from './containment/describe-fault.ts';
import { hearFaults } from './containment/stray-faults.ts';
import { exitCodes } from './results/result.ts';
import { complain } from './texts/say.ts';

// The reader of the output may stop reading (`… | head`), a terminal may be closed, a scenario may
// do anything: the run goes on.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

/** Ends the process after a fault of the lab itself, and runs the clean-up. */
const fail = (thrown: unknown): never => {
  const { message, traceback } = describeFault(thrown);
  complain(`Cannot go on: ${traceback === '' ? message : traceback}`);
  return endProcess(exitCodes.invalid);
};
hearFaults(fail);

const program = new Command('catalytic-lab')
  .description('Loads an authentication service over HTTP and says whether what it measured may be believed.')
  .version(manifest.version, '--version', 'version of the lab');

for (const command of [
  runCommand(),
  compareCommand(),
  capacityCommand(),
  gateCommand(),
  experimentCommand(),
  naiveCommand(),
])
  program.addCommand(command);

refuseInOneLine(program);

await program.parseAsync().catch(fail);
// Explicitly: after connections were reset while they were being ended, as faults do, Node 26 can
// wait for ever at its natural end.
endProcess(Number(process.exitCode ?? exitCodes.passed));
