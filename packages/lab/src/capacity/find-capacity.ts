/**
 * Finds how many users a target carries: a run for each step, and the scalability law fitted to
 * their measurements.
 * @module
 */
import { randomOf } from '../arrivals/random.ts';
import { runLabProcess } from '../launch/lab-process.ts';
import { number } from '../reports/tables.ts';
import { exitCodes } from '../results/result.ts';
import { type FitWithInterval, fitWithInterval } from '../statistics/scalability.ts';
import {
  type CapacityStep,
  findLimit,
  type GradedStep,
  gradeSteps,
  type LadderRule,
  type LimitFound,
  nextUsers,
  stepOf,
} from './step.ts';

/** Parts of a search. */
export interface SearchParts extends LadderRule {
  readonly scenario: string;
  /** Steady seconds of a step. */
  readonly stepSeconds: number;
  /** Users started per second. */
  readonly spawnRate: number;
  /** Options that every run is given besides. */
  readonly runWords: readonly string[];
  /** Beginning of the names of all files. */
  readonly out: string;
  readonly interrupt: AbortSignal;
  readonly say: (line: string) => void;
  /** Called after each step with the results so far. */
  readonly report: (capacity: Capacity) => void;
}

/** The findings of a search. */
export interface Capacity {
  readonly format: 'catalytic-lab-capacity/1';
  readonly scenario: string;
  readonly startedAt: string;
  readonly stepSeconds: number;
  readonly spawnRate: number;
  readonly seed: string;
  readonly machine: {
    readonly cores: number;
    readonly cpu: string;
    readonly memory_gib: number;
    readonly node: string;
  };
  /** By their users. */
  readonly steps: readonly GradedStep[];
  /**
   * The law over requests at a time in the target; `null` with fewer than three different steps.
   */
  readonly law: FitWithInterval | null;
  readonly limit: LimitFound;
  readonly ended: 'completed' | 'interrupted' | 'a run failed';
}

/** Time that a run takes around its load: importing its users, draining. */
const aroundSeconds = 6;
const samplesOfLaw = 1000;

const lawOf = (steps: readonly CapacityStep[], seed: string): FitWithInterval | null => {
  const points = steps
    .filter(({ isSteady, throughput, concurrency }) => isSteady && throughput > 0 && concurrency > 0)
    .map(({ concurrency, throughput }) => ({ users: concurrency, throughput }));
  if (new Set(points.map(({ users }) => users)).size < 3) return null;
  return fitWithInterval(points, randomOf(`${seed}/law`, 0), { samples: samplesOfLaw });
};

const line = ({ users, throughput, p50Ms, p95Ms, failedPercent, grade, isSteady }: GradedStep): string =>
  `${number(users).padStart(7)} users  ${number(throughput).padStart(7)} req/s  p50 ${number(p50Ms ?? 0, 1)}  p95 ${number(p95Ms ?? 0, 1)} ms  ${failedPercent.toFixed(2)} % failed  ${grade}${isSteady ? '' : ', never steady'}`;

/**
 * Searches. Ends early when it is interrupted or a run leaves no result.
 * @returns the result; `undefined` when not even one step was measured, which has been reported
 */
export const findCapacity = async (parts: SearchParts, seed: string): Promise<Capacity | undefined> => {
  const { scenario, stepSeconds, spawnRate, runWords, out, interrupt, say, report, usersMax } = parts;
  const startedAt = new Date().toISOString();
  say(
    `${number(spawnRate)} users are started a second; ${stepSeconds} steady seconds a step, up to ${number(usersMax)} users`,
  );
  const steps: CapacityStep[] = [];
  let capacity: Capacity | undefined;
  let ended: Capacity['ended'] = 'completed';
  for (;;) {
    const users = nextUsers(steps, parts);
    if (users === undefined) break;
    if (interrupt.aborted) {
      ended = 'interrupted';
      break;
    }
    const seconds = Math.ceil(users / spawnRate) + stepSeconds;
    say(`── step ${steps.length + 1}: ${number(users)} users, about ${seconds + aroundSeconds} s`);
    const load = ['--users', users, '--spawn-rate', spawnRate, '--duration', `${seconds}s`].map(String);
    const words = [scenario, ...load, '--seed', `${seed}/${users}`, ...runWords];
    const ran = await runLabProcess(words, { out: `${out}-${users}`, interrupt, isShown: process.stdout.isTTY });
    if (ran.result === null || (ran.result.ended !== 'completed' && ran.result.ended !== 'aborted')) {
      ended = interrupt.aborted ? 'interrupted' : 'a run failed';
      if (ran.result === null) say(`The run with ${number(users)} users left no result: ${ran.reason}`);
      break;
    }
    steps.push(stepOf(ran.result));
    const graded = gradeSteps(steps);
    const mine = graded.find((step) => step.users === users);
    if (mine !== undefined) say(line(mine));
    const { cores, cpu, memory_gib, node } = ran.result.machine;
    capacity = {
      format: 'catalytic-lab-capacity/1',
      scenario,
      startedAt,
      stepSeconds,
      spawnRate,
      seed,
      machine: { cores, cpu, memory_gib, node },
      steps: graded,
      law: lawOf(steps, seed),
      limit: findLimit(graded),
      ended,
    };
    report(capacity);
    // A service that is wrong has no capacity.
    if (ran.result.exit_code === exitCodes.violated) break;
  }
  if (capacity !== undefined && capacity.ended !== ended) {
    capacity = { ...capacity, ended };
    report(capacity);
  }
  return capacity;
};
