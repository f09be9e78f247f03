/**
 * A load that several processes generate: each has a share of the users and of the seed, all start at one moment, and what they measure is merged.
 * A user's schedule depends on its number alone, so a run is the same however many processes it is shared among.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ScenarioException } from '../arrivals/crowd.ts';
import type { RunOptions } from '../commands/run-options.ts';
import { ConsistencyChecker } from '../measures/consistency.ts';
import { Histogram } from '../measures/histogram.ts';
import { OwnMeasures } from '../measures/own-measures.ts';
import { Recorder } from '../measures/recorder.ts';
import type { LoadSecond } from '../measures/sampler.ts';
import type { GeneratorHealth } from '../probes/generator.ts';
import type { AccountSource } from '../targets/accounts.ts';
import { type Load, type LoadCounters, type LoadEnd, type LoadMark, waitAtMost } from './load.ts';
import {
  type CallName,
  type Calls,
  type EndDump,
  type GeneratorMessage,
  type SecondDump,
  sharedClockMs,
} from './messages.ts';

const program = fileURLToPath(new URL('./generator-process.ts', import.meta.url));

/** Longest wait for an answer while a run goes on, milliseconds: a generator that needs longer has lost that second. */
const answerMsMax = 2000;
/** Longest wait for a process to end by itself, milliseconds. */
const endMsMax = 300;

/** One generator. */
interface Generator {
  readonly child: ChildProcess;
  readonly number: number;
  isReady: boolean;
  /** Exit code or signal, when it has ended before its time. */
  ended: string | undefined;
  /** @throws Error when it could not do it */
  ask<Name extends CallName>(call: Name, argument: Calls[Name][0]): Promise<Calls[Name][1]>;
}

interface Question {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

const startGenerator = (number: number, say: (text: string) => void): Generator => {
  const child = fork(program, { serialization: 'advanced' });
  const questions = new Map<number, Question>();
  let id = 0;
  const generator: Generator = {
    child,
    number,
    isReady: false,
    ended: undefined,
    ask: (call, argument) =>
      new Promise((resolve, reject) => {
        if (generator.ended !== undefined) return reject(new Error(generator.ended));
        questions.set(++id, { resolve: resolve as (value: unknown) => void, reject });
        // A failure to send ends in `exit`, which rejects every question.
        child.send({ id, call, argument }, () => {});
      }),
  };
  child.on('message', (message) => {
    const told = message as GeneratorMessage;
    if (told.kind === 'say') say(`Process ${number + 1}: ${told.text}`);
    else if (told.kind === 'ready') generator.isReady = true;
    else {
      const question = questions.get(told.id);
      questions.delete(told.id);
      if (told.kind === 'answer') question?.resolve(told.value);
      else question?.reject(new Error(told.message));
    }
  });
  child.on('error', () => {});
  child.once('exit', (code, signal) => {
    generator.ended = `Generator process ${number + 1} has ended with ${signal ?? code}`;
    for (const { reject } of questions.values()) reject(new Error(generator.ended));
  });
  return generator;
};

/** Asks all of them; one that has ended or takes too long is left out. */
const askAll = async <Name extends CallName>(
  generators: readonly Generator[],
  call: Name,
  argument: Calls[Name][0],
  msMax = answerMsMax,
): Promise<readonly (readonly [Generator, Calls[Name][1]])[]> => {
  const answers: (readonly [Generator, Calls[Name][1]])[] = [];
  const asking = generators.map(async (generator) => {
    const answer = await generator.ask(call, argument).catch(() => undefined);
    if (answer !== undefined) answers.push([generator, answer]);
  });
  await waitAtMost(Promise.all(asking), msMax);
  return [...answers];
};

const worst = (all: readonly GeneratorHealth[]): GeneratorHealth => ({
  cpuPercent: Math.max(0, ...all.map(({ cpuPercent }) => cpuPercent)),
  loopDelayP99Ms: Math.max(0, ...all.map(({ loopDelayP99Ms }) => loopDelayP99Ms)),
  loopBusyPercent: Math.max(0, ...all.map(({ loopBusyPercent }) => loopBusyPercent)),
});

const sumOf = <Key extends string>(all: readonly Readonly<Record<Key, number>>[], key: Key): number =>
  all.reduce((sum, each) => sum + each[key], 0);

const countersOf = (all: readonly LoadCounters[]): LoadCounters => ({
  tasks: sumOf(all, 'tasks'),
  taskMs: sumOf(all, 'taskMs'),
  waitMs: sumOf(all, 'waitMs'),
  userMs: sumOf(all, 'userMs'),
  lateStarts: sumOf(all, 'lateStarts'),
});

const mergeSecond = (all: readonly SecondDump[]): LoadSecond => {
  const latency = new Histogram(2);
  for (const each of all) latency.absorb(each.latency);
  const requests = all.map((each) => each.requests);
  const generators = all.map(({ generator }) => generator);
  return {
    users: sumOf(all, 'users'),
    requests: {
      requests: sumOf(requests, 'requests'),
      ok: sumOf(requests, 'ok'),
      expected: sumOf(requests, 'expected'),
      real: sumOf(requests, 'real'),
      bytes: sumOf(requests, 'bytes'),
      latency,
    },
    // A process that is saturated measures its own queue, however idle the others are: so the worst of them, and not the mean.
    generator: { ...worst(generators), rssMb: sumOf(generators, 'rssMb') + process.memoryUsage.rss() / 2 ** 20 },
  };
};

const mergeExceptions = (all: readonly (readonly ScenarioException[])[]): readonly ScenarioException[] => {
  const merged = new Map<string, ScenarioException>();
  for (const exception of all.flat()) {
    const known = merged.get(exception.message);
    if (known === undefined) merged.set(exception.message, { ...exception });
    else known.count += exception.count;
  }
  return [...merged.values()];
};

const mergeEnds = (ends: readonly LoadEnd[], lost: readonly ScenarioException[]): LoadEnd => {
  const dropped = ends.flatMap(({ droppedStarts }) => droppedStarts ?? []);
  return {
    ...countersOf(ends),
    started: sumOf(ends, 'started'),
    droppedStarts: dropped.length === 0 ? undefined : dropped.reduce((sum, each) => sum + each, 0),
    cutRequests: sumOf(ends, 'cutRequests'),
    exceptions: mergeExceptions([...ends.map(({ exceptions }) => exceptions), lost]),
    connects: sumOf(ends, 'connects'),
    reconnects: sumOf(ends, 'reconnects'),
    health: worst(ends.map(({ health }) => health)),
  };
};

/** Several processes that are ready to start. */
export interface Generators {
  /** @param startMs on this process's monotonic clock */
  start(startMs: number): Load;
  close(): Promise<void>;
}

const startAll = (options: RunOptions, generators: readonly Generator[], startMs: number): Load => {
  const clockMs = sharedClockMs();
  const recorder = new Recorder();
  const checker = new ConsistencyChecker();
  const own = new OwnMeasures(options.scenario.own?.checks, options.scenario.own?.metrics);
  const cpuOf = new Map<Generator, NodeJS.CpuUsage>();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  void askAll(generators, 'start', startMs + clockMs);

  const absorb = ({ number }: Generator, dump: EndDump): LoadEnd => {
    recorder.absorb(dump.recorder);
    checker.absorb(dump.checker, -clockMs, (serial) => serial * generators.length + number);
    own.absorb(dump.own);
    return dump.end;
  };

  return {
    recorder,
    checker,
    own,
    get isReady() {
      return generators.every(({ isReady }) => isReady);
    },
    ended,
    turnSecond: async () =>
      mergeSecond((await askAll(generators, 'turnSecond', undefined)).map(([, second]) => second)),
    cpu: async () => {
      for (const [generator, usage] of await askAll(generators, 'cpu', undefined)) cpuOf.set(generator, usage);
      // One that has ended keeps what it had used when it was last asked.
      const all = [process.cpuUsage(), ...cpuOf.values()];
      return { user: sumOf(all, 'user'), system: sumOf(all, 'system') };
    },
    becomeSteady: async (): Promise<LoadMark> => {
      const marks = (await askAll(generators, 'becomeSteady', undefined)).map(([, mark]) => mark);
      return {
        ...countersOf(marks),
        atMs: Math.max(...marks.map(({ atMs }) => atMs)) - clockMs,
        warmUp: worst(marks.map(({ warmUp }) => warmUp)),
      };
    },
    scale: (factor) => void askAll(generators, 'scale', factor),
    stop: () => {
      void askAll(generators, 'stop', undefined);
      void Promise.all(generators.map((generator) => generator.ask('drain', undefined).catch(() => {}))).then(() =>
        end(),
      );
    },
    finish: async (isInterrupted) => {
      const answers = await askAll(
        generators,
        'finish',
        isInterrupted,
        isInterrupted ? answerMsMax / 2 : 10 * answerMsMax,
      );
      const ends = answers.map(([generator, dump]) => absorb(generator, dump));
      const silent = generators.filter((generator) => !answers.some(([each]) => each === generator));
      // What they have measured is lost, so the run may not be believed.
      const lost = silent.map(({ ended: why, number }) => ({
        message: why ?? `Generator process ${number + 1} did not answer at the end`,
        traceback: '',
        count: 1,
      }));
      return mergeEnds(ends, lost);
    },
  };
};

/**
 * Starts the processes and lets them prepare their shares.
 * @param say is told what they say
 * @param interrupted ends them while they prepare
 * @throws Error when one of them cannot
 */
export const openGenerators = async (
  options: RunOptions,
  accounts: AccountSource,
  say: (text: string) => void,
  interrupted: AbortSignal,
): Promise<Generators> => {
  const { scenario, ...sendable } = options;
  const { credentialsOf, ...facts } = accounts;
  const of = options.processes;
  const generators = Array.from({ length: of }, (_, number) => startGenerator(number, say));
  const close = async (): Promise<void> => {
    const gone = generators.map(
      ({ child }) =>
        new Promise<void>((resolve) => {
          if (child.exitCode !== null || child.signalCode !== null) return resolve();
          child.once('exit', () => resolve());
          if (child.connected) child.disconnect();
        }),
    );
    await waitAtMost(Promise.all(gone), endMsMax);
    for (const { child } of generators) child.kill('SIGKILL');
  };
  const giveUp = (): void => void close();
  interrupted.addEventListener('abort', giveUp, { once: true });
  try {
    await Promise.all(
      generators.map((generator) =>
        generator.ask('prepare', {
          options: { ...sendable, adminKey: undefined, share: { first: generator.number, of } },
          accounts: facts,
        }),
      ),
    );
  } catch (error) {
    await close();
    throw error;
  } finally {
    interrupted.removeEventListener('abort', giveUp);
  }
  return { start: (startMs) => startAll(options, generators, startMs), close };
};
