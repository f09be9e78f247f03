/**
 * Keeps code of a scenario from ending the lab, or from replacing the functions with which the lab
 * measures and ends: such a call throws, and is reported as a fault of the scenario with its line,
 * even where the scenario catches it.
 * @module
 */
import { syncBuiltinESMExports } from 'node:module';
import { CountedFault } from './describe-fault.ts';
import { strayFaults } from './stray-faults.ts';

/** Events of the process that the lab itself handles. */
const heardEvents: ReadonlySet<unknown> = new Set([
  undefined,
  'exit',
  'message',
  'disconnect',
  'uncaughtException',
  'unhandledRejection',
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGBREAK',
]);

/**
 * Whether a signal would reach this process or the one that it works for; 0 only asks whether they
 * are there.
 */
const endsLab = (pid: unknown, signal: unknown): boolean =>
  signal !== 0 && [0, -1, process.pid, process.ppid, -process.pid, -process.ppid].includes(Number(pid));

interface Forbidden {
  readonly of: object;
  readonly name: string;
  readonly shown: (args: readonly unknown[]) => string;
  readonly instead: string;
  /** Whether these arguments are the forbidden ones; all are when absent. */
  readonly isMeant?: (args: readonly unknown[]) => boolean;
}

const noEnd = 'a scenario cannot end the lab; throw an Error, or use --duration';
const noFolder = 'the names of the result files count from the folder the lab was started in; use import.meta.dirname';

const forbidden: readonly Forbidden[] = [
  { of: process, name: 'exit', shown: ([code = '']) => `process.exit(${String(code)})`, instead: noEnd },
  { of: process, name: 'abort', shown: () => 'process.abort()', instead: noEnd },
  { of: process, name: 'execve', shown: () => 'process.execve()', instead: noEnd },
  {
    of: process,
    name: 'kill',
    shown: ([pid, signal = 'SIGTERM']) => `process.kill(${String(pid)}, ${String(signal)})`,
    instead: noEnd,
    isMeant: ([pid, signal]) => endsLab(pid, signal),
  },
  { of: process, name: 'chdir', shown: () => 'process.chdir()', instead: noFolder },
  {
    of: process,
    name: 'removeAllListeners',
    shown: ([event = '']) => `process.removeAllListeners(${String(event)})`,
    instead: 'the lab listens, too; remove your own listeners with process.off()',
    isMeant: ([event]) => heardEvents.has(event),
  },
  {
    of: process,
    name: 'setUncaughtExceptionCaptureCallback',
    shown: () => 'process.setUncaughtExceptionCaptureCallback()',
    instead: 'the lab counts what nothing catches',
  },
  ...(['stdout', 'stderr'] as const).flatMap((stream): readonly Forbidden[] =>
    (['end', 'destroy'] as const).map((name) => ({
      of: process[stream],
      name,
      shown: () => `process.${stream}.${name}()`,
      instead: 'the lab writes there, too',
    })),
  ),
];

/**
 * The clocks and timers of the lab. A scenario that replaced them by fakes would measure the fakes.
 * `Date` is not among them: the lab asks it once, at the start.
 */
const clocks = [
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
  'queueMicrotask',
] as const;

const forbid = ({ of, name, shown, instead, isMeant }: Forbidden): void => {
  const holder = of as Record<string, unknown>;
  const original = holder[name];
  if (typeof original !== 'function') return;
  holder[name] = (...args: readonly unknown[]): unknown => {
    if (isMeant?.(args) === false) return original.apply(of, args);
    const fault = new CountedFault(`${shown(args)} was called: ${instead}`);
    strayFaults.count(fault);
    throw fault;
  };
};

const fix = (holder: object, name: string, value: unknown): void => {
  Object.defineProperty(holder, name, { value, writable: false, configurable: false, enumerable: true });
};

let isGuarded = false;

/** Guards this process from now on. */
export const guardProcess = (): void => {
  if (isGuarded) return;
  isGuarded = true;
  for (const each of forbidden) forbid(each);
  fix(performance, 'now', performance.now.bind(performance));
  for (const name of clocks) fix(globalThis, name, globalThis[name]);
  // Modules that import the functions by name get the guarded ones.
  syncBuiltinESMExports();
};
