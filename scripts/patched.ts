/**
 * Runs a command in a temporary copy of the tree with patches applied, and removes the copy afterwards.
 * @module
 */

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { onStopSignal } from './run-command.ts';
import { copyTree, StalePatchError, type TreeCopy } from './tree-copy.ts';

const help = `Runs a command in a patched copy of the tree.

  node scripts/patched.ts --patch FILE -- COMMAND [ARG …]

The command starts in the copy's root, with this environment; signals are passed on to it, its exit code is passed back, and the copy is
removed when it ends. Example, a service whose commits take 5 ms longer:

  node scripts/patched.ts --patch bench/targets/slow-commit.patch -- node packages/server/src/main.ts serve
`;

const usage = (sentence: string): never => {
  console.error(`patched: ${sentence}\n\n${help}`);
  process.exit(64);
};

const words = process.argv.slice(2);
const divider = words.includes('--') ? words.indexOf('--') : words.length;
const [command, ...args] = words.slice(divider + 1);
const { values } = parseArgs({
  args: words.slice(0, divider),
  options: { patch: { type: 'string' }, root: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
});
if (values.help === true) {
  console.log(help);
  process.exit(0);
}
const patch = values.patch ?? usage('--patch is needed');
if (command === undefined) usage('a command after -- is needed');

let copy: TreeCopy;
try {
  copy = copyTree(resolve(values.root ?? dirname(dirname(fileURLToPath(import.meta.url)))), resolve(patch));
} catch (error) {
  if (!(error instanceof StalePatchError)) throw error;
  console.error(`patched: ${error.message}`);
  process.exit(65);
}
process.once('exit', () => copy.remove());
// `node` and the other commands are found in the copy, or, for a relative path, from the copy's root.
const child = spawn(command ?? '', args, {
  cwd: copy.path,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${copy.path}/node_modules/.bin:${process.env['PATH'] ?? ''}` },
});
// A terminal's Ctrl-C reaches the command by itself; a signal sent to this process alone does not.
onStopSignal((signal) => child.kill(signal));
child.once('error', (error) => usage(`cannot run ${command}: ${error.message}`));
child.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal as NodeJS.Signals]));
