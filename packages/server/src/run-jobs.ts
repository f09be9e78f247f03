/**
 * Jobs: what a service does by itself, again and again, each under a name that the log and the
 * metrics show.
 * @module
 */
import type { JobName, JobObserver } from './telemetry/job-observer.ts';

/** Time between two rounds, milliseconds. The interval of each job is a multiple of it. */
export const roundMs = 1000;

/**
 * Which processes run a job. Of one machine it is the first worker, which the supervisor replaces
 * when it dies.
 */
export type RunsIn = 'every process' | 'one of a machine' | 'the holder of the data folder';

/** The time of a round. */
export interface RoundTime {
  /** Wall clock, milliseconds since 1970. */
  readonly nowMs: number;
  /**
   * Wall clock by which records are forgotten, see `forgettingClock` of the guard; not finite while
   * that is unknown.
   */
  readonly forgetMs: number;
}

/** One job. */
export interface Job {
  readonly name: JobName;
  readonly everyMs: number;
  readonly runsIn: RunsIn;
  /** Does the work. A failure is logged and counted, and the job runs again at its next turn. */
  readonly run: (time: RoundTime) => unknown;
}

/** This process among those of the deployment. */
export interface JobPlace {
  /** Its number among the processes of this machine, from 1. */
  readonly workerNumber: number;
  /** Whether it holds the data folder, see `config/profile.ts`. */
  readonly ownsDataFolder: boolean;
}

/** The jobs that a process runs. */
export const jobsOf = (jobs: readonly Job[], { workerNumber, ownsDataFolder }: JobPlace): readonly Job[] => {
  const runsHere: Readonly<Record<RunsIn, boolean>> = {
    'every process': true,
    'one of a machine': workerNumber === 1,
    'the holder of the data folder': ownsDataFolder,
  };
  return jobs.filter(({ runsIn }) => runsHere[runsIn]);
};

/** What the rounds work with. */
export interface JobsParts {
  /** In the order in which those of one round run. */
  readonly jobs: readonly Job[];
  /** Called once a round, so that all of its jobs go by the same time. */
  readonly time: () => RoundTime;
  readonly observer: JobObserver;
  readonly onFailure: (job: JobName, error: unknown) => void;
}

/**
 * Runs the jobs whose turn it is, one after the other. One that fails must not keep the others from
 * their turn.
 */
const runRound = async ({ jobs, time, observer, onFailure }: JobsParts, round: number): Promise<void> => {
  const roundTime = time();
  for (const { name, everyMs, run } of jobs) {
    if ((round * roundMs) % everyMs !== 0) continue;
    try {
      await run(roundTime);
      observer.onSuccess(name);
    } catch (error) {
      observer.onFailure(name);
      onFailure(name, error);
    }
  }
};

/**
 * Starts the rounds. A round that is due while one runs is left out and not counted, so that no job
 * loses its turn.
 * @returns stops them, waiting for a round that runs
 */
export const startJobs = (parts: JobsParts): (() => Promise<void>) => {
  let running: Promise<void> | undefined;
  let round = 0;
  const timer = setInterval(() => {
    if (running !== undefined) return;
    round++;
    running = runRound(parts, round).finally(() => {
      running = undefined;
    });
  }, roundMs);
  return async () => {
    clearInterval(timer);
    await running;
  };
};
