/**
 * The CPU time that users need on this machine: that of one request of each kind, measured before a
 * phase, times how often the users send it.
 * @module
 */
import { Recorder } from '../measures/recorder.ts';
import { ownCpuSeconds } from '../probes/generator.ts';
import { describeMachine } from '../probes/machine.ts';
import { TargetProcesses } from '../probes/target-process.ts';
import type { RunResult } from '../results/result.ts';
import { type Scenario, weightsOf } from '../scenarios/scenario.ts';
import { type SignedIn, signInUsers } from '../scenarios/sign-in-users.ts';
import type { VirtualUser } from '../scenarios/virtual-user.ts';

/** CPU time, microseconds. */
export interface Cost {
  readonly targetUs: number;
  /** Of processes that work for the target, such as its database. */
  readonly storesUs: number;
  readonly generatorUs: number;
}

/** Cost of one kind of task, and its rate. */
export interface KindOfTask extends Cost {
  readonly task: string;
  readonly perSecond: number;
}

/** CPU time that a phase asks for, if every answer is instant. */
export interface Budget {
  readonly tasks: readonly KindOfTask[];
  readonly coresNeeded: number;
  readonly cores: number;
  /** As many users as the cores are enough for. */
  readonly usersMax: number;
}

/** The same for a run, from its CPU time, ramp and first logins included. */
export interface UsedBudget extends Cost, Omit<Budget, 'tasks'> {
  /** Requests that its users ask for. */
  readonly perSecond: number;
}

/** Users that ask without a pause: enough to keep every worker busy, as a full load does. */
const usersAtOnce = 64;
const taskMs = 4000;

/** All of it. */
export const totalUs = ({ targetUs, storesUs, generatorUs }: Cost): number => targetUs + storesUs + generatorUs;

/**
 * CPU time that a run has used for each request; `undefined` when its target could not be measured.
 */
export const usedBudget = (result: RunResult): UsedBudget | undefined => {
  const { options, machine, target_process: target, generator, also_counted, whole } = result;
  if (target === null) return undefined;
  const storesSeconds = also_counted.reduce((sum, { cpu_seconds: seconds }) => sum + (seconds ?? 0), 0);
  const cost: Cost = {
    targetUs: target.cpu_us_per_request,
    storesUs: (storesSeconds * 1e6) / Math.max(1, whole.total.requests),
    generatorUs: generator.cpu_us_per_request,
  };
  const [shortest, longest] = options.wait_s;
  // Users that never pause ask for whatever there is.
  if (longest === 0) return undefined;
  const perSecond = options.users / ((shortest + longest) / 2);
  const coresNeeded = (totalUs(cost) * perSecond) / 1e6;
  const { cores } = machine;
  return { ...cost, perSecond, coresNeeded, cores, usersMax: (options.users * cores) / coresNeeded };
};

/** CPU seconds used so far by the target, by its stores, and by this process. */
type Clock = () => readonly [target: number, stores: number, generator: number];

const clockOf = (url: string, alsoCount: readonly number[]): Clock => {
  const target = TargetProcesses.at(url);
  const stores = alsoCount.map((store) => new TargetProcesses(store));
  return () => [target.cpuSeconds(), stores.reduce((sum, store) => sum + store.cpuSeconds(), 0), ownCpuSeconds()];
};

/** Lets all users act without a pause, and returns the cost of one act. */
const costOf = async (
  { users, measures }: SignedIn,
  clock: Clock,
  act: (user: VirtualUser) => Promise<unknown>,
): Promise<Cost> => {
  measures.recorder = new Recorder();
  let acts = 0;
  const before = clock();
  const until = performance.now() + taskMs;
  await Promise.all(
    users.map(async (user) => {
      for (; performance.now() < until; acts++) await act(user);
    }),
  );
  const [targetUs = 0, storesUs = 0, generatorUs = 0] = clock().map(
    (seconds, index) => ((seconds - (before[index] ?? 0)) * 1e6) / acts,
  );
  return { targetUs, storesUs, generatorUs };
};

const minus = (one: Cost, other: Cost): Cost => ({
  targetUs: Math.max(0, one.targetUs - other.targetUs),
  storesUs: Math.max(0, one.storesUs - other.storesUs),
  generatorUs: Math.max(0, one.generatorUs - other.generatorUs),
});

/** Subject of the measurement. */
export interface BudgetParts {
  readonly url: string;
  readonly adminKeyFile: string | undefined;
  /** Processes that work for the target. */
  readonly alsoCount: readonly number[];
  readonly scenario: Scenario;
  /** Users of the phase. */
  readonly users: number;
}

/**
 * Measures a budget, some seconds for each kind of task.
 * @throws {Error} a sentence, when the users cannot sign in
 */
export const measureBudget = async ({ scenario, users, ...parts }: BudgetParts): Promise<Budget> => {
  const { tasks: known, waitSeconds } = scenario;
  const crew = await signInUsers({
    target: parts.url,
    adminKeyFile: parts.adminKeyFile,
    users: usersAtOnce,
    runTag: `budget${Date.now().toString(36)}`,
    limits: { connectMs: 10_000, answerMs: 30_000 },
  });
  try {
    const clock = clockOf(parts.url, parts.alsoCount);
    const login = await costOf(crew, clock, (user) => user.login());
    const weights = Object.entries(weightsOf(scenario));
    const weightsSum = weights.reduce((sum, [, weight]) => sum + weight, 0);
    const tasksPerSecond = users / ((waitSeconds[0] + waitSeconds[1]) / 2);
    const tasks: KindOfTask[] = [];
    for (const [task, weight] of weights) {
      const act = async (user: VirtualUser): Promise<unknown> => known[task]?.act(user, undefined);
      // A user that has signed out must sign in before it can sign out again.
      const cost =
        task === 'login'
          ? login
          : task === 'logout'
            ? minus(await costOf(crew, clock, (user) => act(user).then(() => user.login())), login)
            : await costOf(crew, clock, act);
      tasks.push({ task, perSecond: (tasksPerSecond * weight) / weightsSum, ...cost });
    }
    const coresNeeded = tasks.reduce((sum, task) => sum + (task.perSecond * totalUs(task)) / 1e6, 0);
    const { cores } = describeMachine();
    return { tasks, coresNeeded, cores, usersMax: Math.floor((users * cores) / coresNeeded) };
  } finally {
    crew.close();
  }
};
