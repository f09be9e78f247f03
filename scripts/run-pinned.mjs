// Runs a program of this repository under the pinned Node, whichever Node has started it. Plain JavaScript on purpose: any
// Node >= 18 can read it.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where `npm ci` puts the pinned Node; `setup.mjs` looks there too. */
const pinnedNode = join(dirname(dirname(fileURLToPath(import.meta.url))), 'node_modules', '.bin', 'node');

/** Runs the program with the arguments of this process, and ends as it ends. @param program URL of a file */
export const runPinned = async (program) => {
  if (!existsSync(pinnedNode)) {
    console.error(`catalytic: the pinned Node is missing: run "npm ci" in ${dirname(dirname(dirname(pinnedNode)))}`);
    process.exit(1);
  }
  if (realpathSync(process.execPath) === realpathSync(pinnedNode)) {
    await import(program.href);
    return;
  }
  const child = spawn(pinnedNode, [fileURLToPath(program), ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends these to every process of the group, the child included. Sent on, they would count as the second signal.
  for (const signal of ['SIGINT', 'SIGQUIT']) process.on(signal, () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('error', (error) => {
    console.error(`catalytic: Cannot start ${pinnedNode}: ${error.message}`);
    process.exit(1);
  });
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
};
