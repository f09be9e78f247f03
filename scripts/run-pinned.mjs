// Runs a program of this repository under the pinned Node, whichever Node has started it. Plain JavaScript on purpose: any
// Node >= 18 can read it.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import module from 'node:module';
import { dirname, join } from 'node:path';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where `npm ci` puts the pinned Node; `setup.mjs` looks there too. */
const pinnedNode = join(root, 'node_modules', '.bin', 'node');

/** Where compiled modules are kept, so that the next start loads in half the time. */
const compiledFolder = join(root, '.cache', 'compiled');

/** How often a program looks whether npm still runs, milliseconds. */
const npmLookMs = 500;

/**
 * Ends this process as SIGTERM does when the npm process that started it is gone. npm passes SIGTERM and SIGINT on to a
 * script, but SIGHUP and SIGKILL end npm alone, and `npx` passes nothing on: a service would go on that nobody waits for.
 */
const endWithNpm = () => {
  const { npm_command: command, npm_package_json: manifest } = process.env;
  // A script of another package may well leave a service in the background.
  const isOurScript = manifest === join(root, 'package.json');
  if (process.channel !== undefined || (command !== 'exec' && !isOurScript)) return;
  const npm = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, npmLookMs).unref();
};

/** Runs the program with the arguments of this process, and ends as it ends. @param program URL of a file */
export const runPinned = async (program) => {
  if (!existsSync(pinnedNode)) {
    console.error(`catalytic: the pinned Node is missing: run "npm ci" in ${root}`);
    process.exit(1);
  }
  endWithNpm();
  if (realpathSync(process.execPath) === realpathSync(pinnedNode)) {
    module.enableCompileCache(compiledFolder);
    await import(program.href);
    return;
  }
  const child = spawn(pinnedNode, [fileURLToPath(program), ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends SIGINT and SIGQUIT to every process of the group, the child included: passed on as well, they would
  // count as a second signal. Without a terminal, whoever sends them knows this process only.
  const hasTerminal = [0, 1, 2].some((stream) => isatty(stream));
  for (const signal of ['SIGINT', 'SIGQUIT']) process.on(signal, () => hasTerminal || child.kill(signal));
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
