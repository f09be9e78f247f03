/**
 * The sidecar in a process of its own, as `npx @catalytic/guard` starts it.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Scope } from './scope.ts';
import { waitUntil } from './wait-until.ts';

const program = fileURLToPath(new URL('../../packages/guard/src/sidecar/main.ts', import.meta.url));
/** Longest time until it is current, on a busy machine. */
const currentMsMax = 20_000;

/** A running sidecar. */
export interface Sidecar extends AsyncDisposable {
  /** `HOST:PORT` or `unix:PATH`, for gateways. */
  readonly address: string;
  readonly process: ChildProcess;
  /** Everything that it has logged. */
  readonly output: () => string;
  /** Ends it by a signal and waits until it is gone. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

/** Settings, as words of its command. */
export interface SidecarOptions {
  /** URL of the service; and of the issuer unless `flags` name another. */
  readonly url: string;
  readonly key: string;
  /** @default a free port */
  readonly listen?: string;
  readonly flags?: readonly string[];
  /** Words to put before its command, to run it elsewhere. */
  readonly prefixCommand?: readonly string[];
}

/** Starts one and waits until it can judge. */
export const startSidecar = async ({
  url,
  key,
  listen = '127.0.0.1:0',
  flags = [],
  prefixCommand = [],
}: SidecarOptions): Promise<Sidecar> => {
  const words = ['--listen', listen, '--operate', '127.0.0.1:0', '--url', url];
  const issuer = flags.includes('--issuer') ? [] : ['--issuer', url];
  const [command = '', ...rest] = [...prefixCommand, process.execPath, program, ...words, ...issuer, ...flags];
  const child = spawn(command, rest, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      CATALYTIC_GUARD_KEY: key,
    },
  });
  let output = '';
  child.stderr.on('data', (piece: Buffer) => {
    output += piece.toString();
  });
  const ended = once(child, 'exit');
  const end = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    child.kill(signal);
    // A stopped process takes no other signal than SIGKILL.
    child.kill('SIGCONT');
    await ended;
  };
  try {
    await waitUntil('The sidecar', 'become current', currentMsMax, async () => {
      if (child.exitCode !== null) throw new Error('The sidecar has ended');
      const operate = /metrics are on ([^" ]+)/.exec(output)?.[1];
      return operate !== undefined && (await fetch(`http://${operate}/-/ready`)).ok;
    });
  } catch (error) {
    await end();
    throw new Error(`The sidecar cannot judge:\n${output}`, { cause: error });
  }
  const address = /Listening on ([^" ]+)/.exec(output)?.[1] ?? '';
  return { address, process: child, output: () => output, end, [Symbol.asyncDispose]: () => end() };
};

/** Starts one that has ended when the scope is over. */
export const sidecarIn = async (scope: Scope, options: SidecarOptions): Promise<Sidecar> => {
  const sidecar = await startSidecar(options);
  scope.after(() => sidecar.end());
  return sidecar;
};
