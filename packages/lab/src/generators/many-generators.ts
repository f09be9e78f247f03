/**
 * A load that several processes generate: each has a share of the users and of the seed, all start
 * at one moment, and their measurements are merged. A user's schedule depends on its number alone,
 * so a run is the same however many processes it is shared among.
 * @module
 */

import { ExceptionCounts, type ScenarioException } from '../containment/exceptions.ts';
import { blockedSecondsMax } from '../containment/watchdog.ts';
import { ConsistencyChecker } from '../measures/consistency.ts';
import { CustomMeasures } from '../measures/custom-measures.ts';
import { Recorder } from '../measures/recorder.ts';
import type { LoadSecond } from '../measures/sampler.ts';
import type { RunOptions } from '../options/run-options.ts';
import type { GeneratorHealth } from '../probes/generator.ts';
import type { AccountSource } from '../targets/accounts.ts';
import { TransportMeasure } from '../targets/transport.ts';
import { answerMsMax, askAll, type Generator, startGenerator } from './generator-link.ts';
import { type Load, type LoadCounters, type LoadEnd, type LoadMark, type LoadProgress, waitAtMost } from './load.ts';
import { type MeasuredDump, type SecondDump, sharedClockMs } from './messages.ts';

/**
 * Longest wait at the end where code did not give way, milliseconds: the others are in the same
 * code, and are freed by their own watchdogs.
 */
const blockedMsMax = 1.5 * blockedSecondsMax * 1000;
/** Longest wait for the seconds of all, milliseconds: later reports count in a later second. */
const secondMsMax = 500;
/** Longest wait for a process to end by itself, milliseconds. */
const endMsMax = 300;

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

/**
 * A process that has gone, or says nothing at the end, took something with it: the run may not be
 * believed.
 */
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

/** The load that several processes generate. It starts when it is made. */
class ManyGenerators implements Load {
  readonly recorder = new Recorder();
  readonly checker = new ConsistencyChecker();
  readonly custom: CustomMeasures;
  readonly transport = new TransportMeasure();
  readonly ended: Promise<void>;

  readonly #generators: readonly Generator[];
  /** From this process's monotonic clock to the one that all share. */
  readonly #clockMs = sharedClockMs();
  readonly #end: () => void;
  readonly #cpuOf = new Map<Generator, NodeJS.CpuUsage>();
  /** The last second that each has told. */
  readonly #told = new Map<Generator, SecondDump>();
  /** Seconds that were told since the last one was turned. */
  #fresh: SecondDump[] = [];
  readonly #asked = new Map<Generator, Promise<void>>();
  #isOver = false;

  constructor({ scenario }: RunOptions, generators: readonly Generator[], startMs: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
    this.#generators = generators;
    this.custom = new CustomMeasures(scenario.custom?.checks, scenario.custom?.metrics);
    for (const generator of generators) generator.isAtWork = true;
    void askAll(generators, 'start', startMs + this.#clockMs);
  }

  get isReady(): boolean {
    return this.#generators.every(({ isReady }) => isReady);
  }

  async turnSecond(): Promise<LoadSecond> {
    if (!this.#isOver)
      await waitAtMost(Promise.all(this.#generators.map((generator) => this.#askSecond(generator))), secondMsMax);
    const here = this.#generators.filter((generator) => generator.ended === undefined);
    const heard = this.#fresh.map(({ generator }) => generator);
    this.#fresh = [];
    return {
      users: here.reduce((sum, generator) => sum + (this.#told.get(generator)?.users ?? 0), 0),
      requests: this.recorder.turnSecond(),
      // A process that is saturated measures its own queue, however idle the others are: so the
      // worst of them, and not the mean.
      generator: { ...worst(heard), rssMb: sumOf(heard, 'rssMb') + process.memoryUsage.rss() / 2 ** 20 },
    };
  }

  async cpu(): Promise<NodeJS.CpuUsage> {
    for (const [generator, usage] of await askAll(this.#generators, 'cpu', undefined))
      this.#cpuOf.set(generator, usage);
    // One that has ended keeps what it had used when it was last asked.
    const all = [process.cpuUsage(), ...this.#cpuOf.values()];
    return { user: sumOf(all, 'user'), system: sumOf(all, 'system') };
  }

  async becomeSteady(): Promise<LoadMark> {
    const marks = (await askAll(this.#generators, 'becomeSteady', undefined)).map(([, mark]) => mark);
    return {
      ...countersOf(marks),
      atMs: marks.length === 0 ? performance.now() : Math.max(...marks.map(({ atMs }) => atMs)) - this.#clockMs,
      warmUp: worst(marks.map(({ warmUp }) => warmUp)),
    };
  }

  scale(factor: number): void {
    void askAll(this.#generators, 'scale', factor);
  }

  stop(): void {
    void askAll(this.#generators, 'stop', undefined);
    const draining = this.#generators.map((generator) => generator.ask('drain', undefined).catch(() => {}));
    void Promise.all(draining).then(() => this.#end());
  }

  async finish(isInterrupted: boolean): Promise<LoadEnd> {
    const ends = new Map<Generator, LoadEnd>();
    const wasBlocked = this.#generators.some((generator) => generator.wasBlocked);
    const regularMs = isInterrupted ? answerMsMax / 2 : 10 * answerMsMax;
    const finishing = this.#generators.map(async (generator) => {
      const answer = await generator.ask('finish', isInterrupted).catch(() => undefined);
      if (answer === undefined || this.#isOver) return;
      this.#absorb(generator, answer.measured);
      ends.set(generator, answer.end);
    });
    await waitAtMost(Promise.all(finishing), wasBlocked ? blockedMsMax : regularMs);
    this.#isOver = true;
    const lost = this.#generators.filter((generator) => !ends.has(generator));
    const all = [...ends.values()];
    return {
      ...mergeProgress([
        ...all,
        ...lost.flatMap((generator) => this.#told.get(generator)?.progress ?? []),
        { ...nothing, exceptions: lost.map(lossOf) },
      ]),
      cutRequests: sumOf(all, 'cutRequests'),
      health: worst(all.map(({ health }) => health)),
    };
  }

  /**
   * Asks for a second, unless the one before is still owed. Whenever an answer comes, it counts in
   * the second in which it has come.
   */
  #askSecond(generator: Generator): Promise<void> {
    const before = this.#asked.get(generator);
    if (before !== undefined) return before;
    const asking = generator
      .ask('turnSecond', undefined)
      .then(
        (second) => this.#takeSecond(generator, second),
        () => {},
      )
      .finally(() => this.#asked.delete(generator));
    this.#asked.set(generator, asking);
    return asking;
  }

  #takeSecond(generator: Generator, second: SecondDump): void {
    if (this.#isOver) return;
    this.#absorb(generator, second.measured);
    this.#cpuOf.set(generator, second.cpu);
    this.#told.set(generator, second);
    this.#fresh.push(second);
  }

  #absorb({ number }: Generator, measured: MeasuredDump): void {
    this.recorder.absorb(measured.recorder, -this.#clockMs);
    this.checker.absorb(measured.checker, -this.#clockMs, (serial) => serial * this.#generators.length + number);
    this.custom.absorb(measured.custom);
    this.transport.absorb(measured.transport);
  }
}

/**
 * Starts the processes and lets them prepare their shares.
 * @param say shows their output
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
  return { start: (startMs) => new ManyGenerators(options, generators, startMs), close };
};
