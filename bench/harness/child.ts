/**
 * The protocol between a bench and the processes it starts. A child does tasks: its parent sends the name of one and an argument, and the
 * child answers with the result or with what went wrong, both over the channel of `fork` in the structured clone format. A child ends with
 * its parent.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';

/** What a child can do, by name. */
export type Tasks = Readonly<Record<string, (argument: never) => unknown>>;

interface Order {
  readonly task: string;
  readonly argument: unknown;
}

type Answer = { readonly result: unknown } | { readonly error: string };

/** Makes this process a child that does these tasks. Call it in the module that {@link startChild} starts. */
export const serveTasks = (tasks: Tasks): void => {
  const work = async ({ task, argument }: Order): Promise<Answer> => {
    try {
      return { result: await tasks[task]?.(argument as never) };
    } catch (error) {
      return { error: inspect(error) };
    }
  };
  process.on('message', async (order) => void process.send?.(await work(order as Order)));
  process.once('disconnect', () => process.exit());
};

/** A child that runs. Its asynchronous disposal kills it and waits until it is gone. */
export interface Child<Known extends Tasks> extends AsyncDisposable {
  readonly pid: number;
  /**
   * Has it do a task; one at a time.
   * @throws Error with the child's own words when the task fails, and when the child ends before its answer
   */
  ask<Name extends keyof Known & string>(
    task: Name,
    argument: Parameters<Known[Name]>[0],
  ): Promise<Awaited<ReturnType<Known[Name]>>>;
}

/** How a child is run. */
export interface ChildOptions {
  /** CPU core that it is tied to; absent: any. */
  readonly core?: number;
  /** Flags of Node. */
  readonly flags?: readonly string[];
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const kill = async (child: ChildProcess): Promise<void> => {
  if (!running.has(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
};

/** Starts a child on the Node of this process. @param module URL of the file that calls {@link serveTasks} */
export const startChild = <Known extends Tasks>(
  module: URL | string,
  { core, flags = [], cwd, env = {} }: ChildOptions = {},
): Child<Known> => {
  const file = fileURLToPath(module);
  const child = fork(file, [], {
    serialization: 'advanced',
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
    ...(core === undefined
      ? { execArgv: [...flags] }
      : { execPath: 'taskset', execArgv: ['-c', String(core), process.execPath, ...flags] }),
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const ask = async (task: string, argument: unknown): Promise<unknown> => {
    const settled = new AbortController();
    const gone = once(child, 'exit', settled).then(([code, signal]): never => {
      throw new Error(`${file} ended with ${code ?? signal} before it had done "${task}"`);
    });
    // The one that loses the race below may still reject.
    gone.catch(() => {});
    try {
      const answered = once(child, 'message', settled);
      answered.catch(() => {});
      child.send({ task, argument } satisfies Order);
      const [answer] = (await Promise.race([answered, gone])) as [Answer];
      if ('error' in answer) throw new Error(`${file}: ${answer.error}`);
      return answer.result;
    } finally {
      settled.abort();
    }
  };
  return {
    pid: child.pid ?? 0,
    ask: ask as Child<Known>['ask'],
    [Symbol.asyncDispose]: () => kill(child),
  };
};

/** Starts a child for one task, and ends it. */
export const askChild = async <Known extends Tasks, Name extends keyof Known & string>(
  module: URL | string,
  task: Name,
  argument: Parameters<Known[Name]>[0],
  options: ChildOptions = {},
): Promise<Awaited<ReturnType<Known[Name]>>> => {
  await using child = startChild<Known>(module, options);
  return await child.ask(task, argument);
};
