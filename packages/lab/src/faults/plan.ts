/**
 * Reads the faults of a command line: `--fault NAME:VERB@TIME`, over the names that `--process`,
 * `--proxy` and `--command` declare.
 * @module
 */
import { parseDuration } from '../arrivals/duration.ts';
import type { CommandUnderFault } from './command-under-fault.ts';
import { cut } from './cut.ts';
import { delay } from './delay.ts';
import type { Fault } from './fault.ts';
import { heal } from './heal.ts';
import { kill } from './kill.ts';
import { pause } from './pause.ts';
import { type ProcessName, ProcessUnderFault } from './process-under-fault.ts';
import type { FaultProxy, ProxyOptions } from './proxy.ts';
import { resume } from './resume.ts';
import { run } from './run.ts';

const faults: Readonly<Record<string, Fault>> = { kill, pause, resume, delay, cut, heal, run };

/** Most faults of a run; more are a mistake in a script. */
const faultsMax = 1000;

/** Subjects of faults, by name. */
export interface Subjects {
  readonly processes: ReadonlyMap<string, ProcessUnderFault>;
  readonly proxies: ReadonlyMap<string, FaultProxy>;
  readonly commands: ReadonlyMap<string, CommandUnderFault>;
}

/** A fault of a run. */
export interface PlannedFault {
  readonly name: string;
  /** `cut`, `delay=50ms`. */
  readonly fault: string;
  readonly atSeconds: number;
  /**
   * Does it, at once or until the promise ends.
   * @throws Error that says why it could not be done; or the promise does
   */
  apply(subjects: Subjects): void | Promise<void>;
}

/** The faults of a run, in order, and their requirements. */
export interface FaultPlan {
  readonly processes: ReadonlyMap<string, ProcessName>;
  readonly proxies: ReadonlyMap<string, ProxyOptions>;
  /** Shell commands. */
  readonly commands: ReadonlyMap<string, string>;
  readonly faults: readonly PlannedFault[];
}

/** The words of a command line. */
export interface FaultWords {
  readonly process: readonly string[];
  readonly proxy: readonly string[];
  readonly command: readonly string[];
  readonly fault: readonly string[];
}

/** A run without faults. */
export const noFaults: FaultPlan = { processes: new Map(), proxies: new Map(), commands: new Map(), faults: [] };

const namePattern = /^([\w./-]+)=(.+)$/;

const parseProcess = (word: string): readonly [string, ProcessName] => {
  const [, name, where = ''] = namePattern.exec(word) ?? [];
  if (name === undefined)
    throw new Error(
      `--process ${word}: write NAME=PID or NAME=PIDFILE, with :single behind it to leave its children alone`,
    );
  const isSingle = where.endsWith(':single');
  const pid = isSingle ? where.slice(0, -':single'.length) : where;
  const subject: ProcessName = { pid: /^\d+$/.test(pid) ? Number(pid) : pid, isSingle };
  try {
    new ProcessUnderFault(subject).find();
  } catch (error) {
    throw new Error(`--process ${word}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return [name, subject];
};

const isPort = (text: string | undefined): boolean => Number(text) >= 1 && Number(text) <= 65_535;

const parseProxy = (word: string): readonly [string, ProxyOptions] => {
  const [, name, listenPort, targetHost, targetPort] =
    /^([\w./-]+)=(\d+):(\[[\da-f:]+\]|[^:\s]+):(\d+)$/i.exec(word) ?? [];
  if (name === undefined || targetHost === undefined || !isPort(listenPort) || !isPort(targetPort))
    throw new Error(`--proxy ${word}: write NAME=LISTENPORT:TARGETHOST:TARGETPORT, ports from 1 to 65535`);
  return [
    name,
    { listenPort: Number(listenPort), targetHost: targetHost.replace(/^\[|\]$/g, ''), targetPort: Number(targetPort) },
  ];
};

const parseCommand = (word: string): readonly [string, string] => {
  const [, name, text] = /^([\w./-]+)=(.*\S.*)$/s.exec(word) ?? [];
  if (name === undefined || text === undefined)
    throw new Error(`--command ${word}: write NAME=SHELL COMMAND, for example "redis-flush=redis-cli flushall"`);
  return [name, text];
};

const parseFault = (word: string, plan: Omit<FaultPlan, 'faults'>, durationSeconds: number): PlannedFault => {
  const refuse = (reason: string): never => {
    throw new Error(`--fault ${word}: ${reason}`);
  };
  // With a unit: 40 alone could be milliseconds, as in delay=40ms.
  const [, name = '', verb = '', argument, time = ''] =
    /^([\w./-]+):(\w+)(?:=([^@]+))?@(\d[\d.a-z]*[a-z]|0)$/.exec(word) ??
    refuse('write NAME:VERB@TIME, for example database:cut@30s');
  const kinds = [
    ['process', plan.processes],
    ['proxy', plan.proxies],
    ['command', plan.commands],
  ] as const;
  const [on] = kinds.find(([, subjects]) => subjects.has(name)) ?? [];
  const names = kinds.flatMap(([, subjects]) => [...subjects.keys()]);
  if (on === undefined)
    return refuse(
      `there is no "${name}"; ${names.length === 0 ? 'declare it with --process, --proxy or --command' : `declared are ${names.join(', ')}`}`,
    );
  const fitting = Object.entries(faults).filter(([, fault]) => fault.on === on);
  const fault = Object.hasOwn(faults, verb) ? faults[verb] : undefined;
  if (fault?.on !== on)
    return refuse(`a ${on} cannot "${verb}"; it can ${fitting.map(([verbOf]) => verbOf).join(', ')}`);
  const atSeconds = /^[0.]+[a-z]*$/.test(time)
    ? 0
    : (parseDuration(time) ?? refuse(`"${time}" is no time; write for example 30s, 1m30s or 500ms`));
  if (atSeconds >= durationSeconds) return refuse(`the run ends after ${durationSeconds} s; give an earlier time`);
  const planned = { name, fault: argument === undefined ? verb : `${verb}=${argument}`, atSeconds };
  if (fault.on === 'process') {
    const act = fault.parse(argument) ?? refuse(`write ${fault.usage}`);
    return { ...planned, apply: ({ processes }) => act(processes.get(name) ?? refuse('its process is not known')) };
  }
  if (fault.on === 'command') {
    const act = fault.parse(argument) ?? refuse(`write ${fault.usage}`);
    return { ...planned, apply: ({ commands }) => act(commands.get(name) ?? refuse('its command is not known')) };
  }
  const act = fault.parse(argument) ?? refuse(`write ${fault.usage}`);
  return { ...planned, apply: ({ proxies }) => act(proxies.get(name) ?? refuse('its proxy is not open')) };
};

/**
 * Reads and checks all of it.
 * @throws Error that says what is wrong and what is allowed
 */
export const planFaults = (words: FaultWords, durationSeconds: number): FaultPlan => {
  if (words.fault.length > faultsMax)
    throw new Error(`--fault: ${words.fault.length} of them; at most ${faultsMax} are allowed`);
  const processes = words.process.map(parseProcess);
  const proxies = words.proxy.map(parseProxy);
  const commands = words.command.map(parseCommand);
  const declared = [...processes, ...proxies, ...commands].map(([name]) => name);
  const twice = declared.find((name, index) => declared.indexOf(name) !== index);
  if (twice !== undefined)
    throw new Error(`"${twice}" is declared twice; give each --process, --proxy and --command a name of its own`);
  const plan = { processes: new Map(processes), proxies: new Map(proxies), commands: new Map(commands) };
  const planned = words.fault.map((word) => parseFault(word, plan, durationSeconds));
  return { ...plan, faults: planned.sort((a, b) => a.atSeconds - b.atSeconds) };
};
