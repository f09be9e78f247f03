/**
 * A process that generates a share of a run's load. Started by `generator-link.ts` only.
 * @module
 */

import { endProcess } from '../containment/at-exit.ts';
import { endingSignals } from '../containment/interrupt.ts';
import { hearFaults } from '../containment/stray-faults.ts';
import { whenBlocked } from '../containment/watchdog.ts';
import { noFaults } from '../faults/plan.ts';
import { ConsistencyChecker } from '../measures/consistency.ts';
import type { RunOptions } from '../options/run-options.ts';
import { findScenario, selectTasks } from '../scenarios/load-scenario.ts';
import { accountSource } from '../targets/accounts.ts';
import type { LoadMark } from './load.ts';
import { type LocalLoad, type Prepared, prepareLoad, startLoad } from './local-load.ts';
import type { CallMessage, Calls, GeneratorMessage, GeneratorTask, MeasuredDump } from './messages.ts';
import { sharedClockMs } from './messages.ts';

/** Time between two looks whether all users are ready, milliseconds. */
const lookMs = 50;

const clockMs = sharedClockMs();
const state: { options?: RunOptions; prepared?: Prepared; load?: LocalLoad } = {};

const send = (message: GeneratorMessage): void => {
  process.send?.(message);
};

const loadOf = (): LocalLoad => {
  if (state.load === undefined) throw new Error('Nothing has been started');
  return state.load;
};

const prepare = async ({ options, accounts }: GeneratorTask): Promise<undefined> => {
  const { name, tags, without } = options.scenarioSource;
  state.options = { ...options, faults: noFaults, scenario: selectTasks(await findScenario(name), tags, without) };
  state.prepared = await prepareLoad(
    state.options,
    { accounts: accountSource(accounts), checker: new ConsistencyChecker(), workers: undefined },
    (text) => send({ kind: 'say', text }),
    new AbortController().signal,
  );
};

const start = (atMs: number): undefined => {
  const { options, prepared } = state;
  if (options === undefined || prepared === undefined) throw new Error('Nothing has been prepared');
  const load = startLoad(options, prepared, atMs - clockMs);
  state.load = load;
  const timer = setInterval(() => {
    if (!load.isReady) return;
    clearInterval(timer);
    send({ kind: 'ready' });
  }, lookMs);
};

/** All that was measured since the last time. */
const take = ({ recorder, checker, custom, transport }: LocalLoad): MeasuredDump => ({
  recorder: recorder.take(),
  checker: checker.take(),
  custom: custom.take(),
  transport: transport.take(),
});

/** The answer to each call. */
const answers: { readonly [Name in keyof Calls]: (argument: Calls[Name][0]) => Promise<Calls[Name][1]> } = {
  prepare,
  start: async (atMs) => start(atMs),
  turnSecond: async () => {
    const load = loadOf();
    const { users, generator } = await load.turnSecond();
    return { users, generator, cpu: process.cpuUsage(), measured: take(load), progress: load.progress() };
  },
  cpu: () => loadOf().cpu(),
  becomeSteady: async (): Promise<LoadMark> => {
    const mark = await loadOf().becomeSteady();
    return { ...mark, atMs: mark.atMs + clockMs };
  },
  scale: async (factor) => {
    loadOf().scale(factor);
    return undefined;
  },
  stop: async () => {
    loadOf().stop();
    return undefined;
  },
  drain: async () => {
    await loadOf().ended;
    return undefined;
  },
  finish: async (isInterrupted) => {
    const load = loadOf();
    const end = await load.finish(isInterrupted);
    return { measured: take(load), end };
  },
};

process.on('message', (message) => {
  const { id, call, argument } = message as CallMessage;
  const answer = answers[call] as (argument: unknown) => Promise<unknown>;
  // Inside a promise, so that a synchronous throw becomes a rejection too.
  Promise.resolve()
    .then(() => answer(argument))
    .then(
      (value) => send({ kind: 'answer', id, value }),
      (error: Error) => send({ kind: 'failure', id, message: error.message }),
    );
});

hearFaults();
whenBlocked(({ place }) => send({ kind: 'blocked', place }));
// Ctrl-C goes to all processes of a terminal, as does its end: the process that runs the run says
// when it is over, and without it there is no work to do.
for (const name of endingSignals) process.on(name, () => {});
process.on('disconnect', () => endProcess(0));
