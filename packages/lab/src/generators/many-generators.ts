/**
 * A load that several processes generate: each has a share of the users and of the seed, all start at one moment, and what they measure is merged.
 * A user's schedule depends on its number alone, so a run is the same however many processes it is shared among.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ExceptionCounts, type ScenarioException } from '../arrivals/exceptions.ts';
import type { RunOptions } from '../commands/run-options.ts';
import { bequeath, revoke } from '../containment/last-will.ts';
import { announceBlocked, blockedSecondsMax } from '../containment/watchdog.ts';
import { ConsistencyChecker } from '../measures/consistency.ts';
import { OwnMeasures } from '../measures/own-measures.ts';
import { Recorder } from '../measures/recorder.ts';
import type { LoadSecond } from '../measures/sampler.ts';
import { TransportMeasure } from '../measures/transport.ts';
import type { GeneratorHealth } from '../probes/generator.ts';
import type { AccountSource } from '../targets/accounts.ts';
import { type Load, type LoadCounters, type LoadEnd, type LoadMark, type LoadProgress, waitAtMost } from './load.ts';
import {
  type CallName,
  type Calls,
  type GeneratorMessage,
  type MeasuredDump,
  type SecondDump,
  sharedClockMs,
} from './messages.ts';

const program = fileURLToPath(new URL('./generator-process.ts', import.meta.url));

/** Longest wait for an answer, milliseconds. */
const answerMsMax = 2000;
/** Longest wait at the end where code did not give way, milliseconds: the others are in the same code, and are freed by their own watchdogs. */
const blockedMsMax = 1.5 * blockedSecondsMax * 1000;
/** Longest wait for the seconds of all, milliseconds: what a generator tells later counts in a later second. */
const secondMsMax = 500;
/** Longest wait for a process to end by itself, milliseconds. */
const endMsMax = 300;

/** One generator. */
interface Generator {
  readonly child: ChildProcess;
  readonly number: number;
  readonly name: string;
  isReady: boolean;
  /** From the start of the run until the run needs it no more. */
  isAtWork: boolean;
  /** Code of the scenario did not give way in it. */
  wasBlocked: boolean;
  /** How it has ended, in words; `undefined` while it is there. */
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
  // It ends when this process is gone; one that cannot notice must end all the same.
  const { pid } = child;
  if (pid !== undefined) {
    bequeath(pid, 'SIGKILL');
    child.once('exit', () => revoke(pid));
  }
  const questions = new Map<number, Question>();
  let id = 0;
  const name = `Generator process ${number + 1} (process id ${child.pid})`;
  const generator: Generator = {
    child,
    number,
    name,
    isReady: false,
    isAtWork: false,
    wasBlocked: false,
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
    else if (told.kind === 'blocked') {
      generator.wasBlocked = true;
      announceBlocked({ place: told.place, isElsewhere: true });
    } else {
      const question = questions.get(told.id);
      questions.delete(told.id);
      if (told.kind === 'answer') question?.resolve(told.value);
      else question?.reject(new Error(told.message));
    }
  });
  const giveUpQuestions = (): void => {
    for (const { reject } of questions.values()) reject(new Error(generator.ended));
    questions.clear();
  };
  child.on('error', (error) => {
    if (child.pid !== undefined) return;
    generator.ended = `${name} did not start: ${error.message}`;
    giveUpQuestions();
  });
  child.once('exit', (code, signal) => {
    generator.ended = `${name} ended with ${signal ?? `exit code ${code}`}`;
    if (generator.isAtWork) say(`${generator.ended}; the run goes on without its users, and is invalid`);
    if (!child.connected) giveUpQuestions();
  });
  // What it had said before it ended is read until here.
  child.once('disconnect', () => {
    if (generator.ended !== undefined) giveUpQuestions();
  });
  return generator;
};

/** A load that has not begun. */
const nothing: LoadProgress = {
  tasks: 0,
  taskMs: 0,
  waitMs: 0,
  userMs: 0,
  lateStarts: 0,
  started: 0,
  droppedStarts: undefined,
  exceptions: [],
  connects: 0,
  reconnects: 0,
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

const mergeProgress = (all: readonly LoadProgress[]): LoadProgress => {
  const exceptions = new ExceptionCounts();
  for (const each of all) exceptions.absorb(each.exceptions);
  const dropped = all.flatMap(({ droppedStarts }) => droppedStarts ?? []);
  return {
    ...countersOf(all),
    started: sumOf(all, 'started'),
    droppedStarts: dropped.length === 0 ? undefined : dropped.reduce((sum, each) => sum + each, 0),
    exceptions: exceptions.all,
    connects: sumOf(all, 'connects'),
    reconnects: sumOf(all, 'reconnects'),
  };
};

/** A process that has gone, or says nothing at the end, took something with it: the run may not be believed. */
const lossOf = ({ ended, name }: Generator): ScenarioException => ({
  message: `${ended ?? `${name} did not answer at the end`}: what it measured since its last full second is lost`,
  traceback: '',
  place: '',
  count: 1,
});

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
  const transport = new TransportMeasure();
  const cpuOf = new Map<Generator, NodeJS.CpuUsage>();
  /** The last second that each has told. */
  const told = new Map<Generator, SecondDump>();
  /** Seconds that were told since the last one was turned. */
  let fresh: SecondDump[] = [];
  const asked = new Map<Generator, Promise<void>>();
  let isOver = false;
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  for (const generator of generators) generator.isAtWork = true;
  void askAll(generators, 'start', startMs + clockMs);

  const absorb = ({ number }: Generator, measured: MeasuredDump): void => {
    recorder.absorb(measured.recorder, -clockMs);
    checker.absorb(measured.checker, -clockMs, (serial) => serial * generators.length + number);
    own.absorb(measured.own);
    transport.absorb(measured.transport);
  };

  const takeSecond = (generator: Generator, second: SecondDump): void => {
    if (isOver) return;
    absorb(generator, second.measured);
    cpuOf.set(generator, second.cpu);
    told.set(generator, second);
    fresh.push(second);
  };

  /** Asks for a second, unless the one before is still owed: whenever it comes, it counts, in the second in which it has come. */
  const askSecond = (generator: Generator): Promise<void> => {
    const before = asked.get(generator);
    if (before !== undefined) return before;
    const asking = generator
      .ask('turnSecond', undefined)
      .then(
        (second) => takeSecond(generator, second),
        () => {},
      )
      .finally(() => asked.delete(generator));
    asked.set(generator, asking);
    return asking;
  };

  const turnSecond = async (): Promise<LoadSecond> => {
    if (!isOver) await waitAtMost(Promise.all(generators.map(askSecond)), secondMsMax);
    const here = generators.filter((generator) => generator.ended === undefined);
    const heard = fresh.map(({ generator }) => generator);
    fresh = [];
    return {
      users: here.reduce((sum, generator) => sum + (told.get(generator)?.users ?? 0), 0),
      requests: recorder.turnSecond(),
      // A process that is saturated measures its own queue, however idle the others are: so the worst of them, and not the mean.
      generator: { ...worst(heard), rssMb: sumOf(heard, 'rssMb') + process.memoryUsage.rss() / 2 ** 20 },
    };
  };

  const finish = async (isInterrupted: boolean): Promise<LoadEnd> => {
    const ends = new Map<Generator, LoadEnd>();
    const wasBlocked = generators.some((generator) => generator.wasBlocked);
    const regularMs = isInterrupted ? answerMsMax / 2 : 10 * answerMsMax;
    const msMax = wasBlocked ? blockedMsMax : regularMs;
    const finishing = generators.map(async (generator) => {
      const answer = await generator.ask('finish', isInterrupted).catch(() => undefined);
      if (answer === undefined || isOver) return;
      absorb(generator, answer.measured);
      ends.set(generator, answer.end);
    });
    await waitAtMost(Promise.all(finishing), msMax);
    isOver = true;
    const lost = generators.filter((generator) => !ends.has(generator));
    const all = [...ends.values()];
    return {
      ...mergeProgress([
        ...all,
        ...lost.flatMap((generator) => told.get(generator)?.progress ?? []),
        { ...nothing, exceptions: lost.map(lossOf) },
      ]),
      cutRequests: sumOf(all, 'cutRequests'),
      health: worst(all.map(({ health }) => health)),
    };
  };

  return {
    recorder,
    checker,
    own,
    transport,
    get isReady() {
      return generators.every(({ isReady }) => isReady);
    },
    ended,
    turnSecond,
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
        atMs: marks.length === 0 ? performance.now() : Math.max(...marks.map(({ atMs }) => atMs)) - clockMs,
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
    finish,
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
  const { scenario, faults, ...sendable } = options;
  const { credentialsOf, ...facts } = accounts;
  const of = options.processes;
  const generators = Array.from({ length: of }, (_, number) => startGenerator(number, say));
  const close = async (): Promise<void> => {
    for (const generator of generators) generator.isAtWork = false;
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
