/**
 * Runs commands so that they can be ended with all their processes: each in its own process group, with a time limit.
 * @module
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** How long a group may take to end by itself before it is killed. */
const endMsMax = 5_000;
/** How long the rest of a group may take to go after its first process has ended. */
const restMsMax = 2_000;

/** How a command is run. */
export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** `capture`: the output is returned; `inherit`: it goes to the output of this process. */
  readonly output?: 'capture' | 'inherit';
  readonly timeoutMs?: number;
}

/** How a command ended. */
export interface RunResult {
  /** 128 + 15 when a signal ended it. */
  readonly code: number;
  readonly timedOut: boolean;
  /** Both streams as they came; empty when inherited. */
  readonly output: string;
  readonly seconds: number;
  /** Whether processes of its group were left after it had ended; they have been killed. */
  readonly leftProcesses: boolean;
}

/** A running command. */
export interface RunningCommand {
  readonly done: Promise<RunResult>;
  /** Asks the whole group to end, and kills the rest of it after a few seconds. */
  stop(signal?: NodeJS.Signals): void;
}

/**
 * Variables that reach a test: what a program needs to run on this machine, and nothing a developer may have set for a service of
 * their own (`DATABASE_URL`, `PORT`, `NODE_OPTIONS`, …), so that results do not depend on the developer.
 */
const keptVariables = /^(PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|LANG|LC_\w+|TZ|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|CI)$/;

/** The environment for tests. */
export const cleanEnvironment = (environment: NodeJS.ProcessEnv = process.env): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => keptVariables.test(entry[0]) && entry[1] !== undefined,
    ),
  );

const signalGroup = (child: ChildProcess, signal: NodeJS.Signals | 0): boolean => {
  try {
    return child.pid !== undefined && process.kill(-child.pid, signal);
  } catch {
    return false;
  }
};

/**
 * Whether a process of the group still runs. A process that has ended but is never waited for keeps its place in the group and does not
 * count: its parent may be gone, and in many containers the first process collects no orphans.
 */
const groupRuns = (child: ChildProcess): boolean => {
  if (!signalGroup(child, 0)) return false;
  if (!existsSync('/proc/self/stat')) return true;
  return readdirSync('/proc').some((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      // "pid (name) state parent group …"; the name may hold anything.
      const [state, , group] = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      return Number(group) === child.pid && state !== 'Z' && state !== 'X';
    } catch {
      return false;
    }
  });
};

const groupEnds = async (child: ChildProcess): Promise<boolean> => {
  for (const deadline = performance.now() + restMsMax; performance.now() < deadline; ) {
    if (!groupRuns(child)) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
};

/** Starts a command; no shell is between. */
export const startCommand = (command: string, args: readonly string[], options: RunOptions): RunningCommand => {
  const startedAtMs = performance.now();
  const stdio: SpawnOptions['stdio'] =
    options.output === 'inherit' ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'];
  const child = spawn(command, args, { cwd: options.cwd, env: options.env ?? process.env, stdio, detached: true });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  let killTimer: NodeJS.Timeout | undefined;
  const stop = (signal: NodeJS.Signals = 'SIGTERM'): void => {
    signalGroup(child, signal);
    killTimer ??= setTimeout(() => signalGroup(child, 'SIGKILL'), endMsMax);
  };
  let timedOut = false;
  const limit =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          signalGroup(child, 'SIGKILL');
        }, options.timeoutMs);

  const done = (async (): Promise<RunResult> => {
    // `exit` and not `close`: a process left behind may hold the pipes open for as long as it lives.
    const code = await new Promise<number>((resolve, reject) => {
      child.once('exit', (exitCode) => resolve(exitCode ?? 128 + 15));
      child.once('error', (error) => reject(new Error(`Cannot run ${command}: ${error.message}`, { cause: error })));
    });
    clearTimeout(limit);
    const leftProcesses = !(await groupEnds(child));
    if (leftProcesses) signalGroup(child, 'SIGKILL');
    clearTimeout(killTimer);
    const streams = [child.stdout, child.stderr].filter((stream) => stream !== null && !stream.closed);
    await Promise.all(streams.map((stream) => new Promise((resolve) => stream?.once('close', resolve))));
    return { code, timedOut, output, seconds: (performance.now() - startedAtMs) / 1000, leftProcesses };
  })();
  return { done, stop };
};

/** Calls back when this process is asked to end (Ctrl-C, `kill`); the callback decides when it ends. */
export const onStopSignal = (stop: (signal: NodeJS.Signals) => void): void => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(signal));
};
