/**
 * How many users there are, or how many starts a second, at any time of a run. Pure.
 * @module
 */
import { durationExamples, parseDecimal, parseDuration } from './duration.ts';

/** A part of a run. */
export interface Stage {
  readonly durationSeconds: number;
  /** Users that the stage heads for, and stays at: closed model. */
  readonly users?: number;
  /** Users started, or sent away, per second until then; `undefined`: as many as the run's. */
  readonly spawnRate?: number;
  /** Starts per second: open model. */
  readonly rate?: number;
}

/** The number of users over a run. */
export interface UserPlan {
  /** Most users at any time. */
  readonly usersMax: number;
  /** Users that should be there. @param seconds since the start of the run */
  readonly usersAt: (seconds: number) => number;
}

/** Users of a run without stages: user number i comes after i / spawnRate seconds. */
export const steadyUsers = (users: number, spawnRate: number): UserPlan => ({
  usersMax: users,
  usersAt: (seconds) => Math.min(users, Math.floor(seconds * spawnRate + 1e-9) + 1),
});

interface Ramp {
  readonly fromSeconds: number;
  readonly from: number;
  readonly to: number;
  readonly perSecond: number;
}

/**
 * Users of a run in stages: each stage begins with the users there are and heads for its number at
 * its rate. A stage that is too short to get there hands on as many as it has reached.
 * @param spawnRate of stages that set none
 */
export const stagedUsers = (stages: readonly Stage[], spawnRate: number): UserPlan => {
  const reached = ({ from, to, perSecond }: Ramp, seconds: number): number => {
    const moved = Math.floor(seconds * perSecond + 1e-9) + 1;
    return to >= from ? Math.min(to, from + moved) : Math.max(to, from - moved);
  };
  const ramps: Ramp[] = [];
  let fromSeconds = 0;
  let from = 0;
  let usersMax = 0;
  for (const stage of stages) {
    const ramp = { fromSeconds, from, to: stage.users ?? from, perSecond: stage.spawnRate ?? spawnRate };
    ramps.push(ramp);
    from = reached(ramp, stage.durationSeconds);
    usersMax = Math.max(usersMax, from);
    fromSeconds += stage.durationSeconds;
  }
  return {
    usersMax,
    usersAt: (seconds) => {
      const atSeconds = Math.min(Math.max(0, seconds), fromSeconds);
      const ramp = ramps.findLast((each) => each.fromSeconds <= atSeconds);
      return ramp === undefined ? 0 : reached(ramp, atSeconds - ramp.fromSeconds);
    },
  };
};

/** Seconds that all stages take together. */
export const secondsOf = (stages: readonly Stage[]): number =>
  stages.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0);

/** Starts per second at a time. @param rate where there are no stages */
export const rateAt = (stages: readonly Stage[], rate: number, seconds: number): number => {
  let end = 0;
  for (const stage of stages) {
    end += stage.durationSeconds;
    if (seconds < end) return stage.rate ?? rate;
  }
  return stages.at(-1)?.rate ?? rate;
};

const words = /^(users|rate|duration|spawn-rate)=(.+)$/;

const numberOf = (where: string, word: string, value: string): number => {
  const number = word === 'duration' ? parseDuration(value) : parseDecimal(value);
  const isAllowed = number !== undefined && (word === 'users' ? Number.isSafeInteger(number) : number > 0);
  if (isAllowed) return number;
  const allowed =
    word === 'users'
      ? 'a whole number'
      : word === 'duration'
        ? `a time such as ${durationExamples}`
        : 'a number above 0';
  throw new Error(`${where}: ${word} is "${value}"; give ${allowed}, for example users=1000,duration=60s`);
};

/**
 * Reads a stage: `users=1000,duration=60s`, `users=200,duration=1m,spawn-rate=50`,
 * `rate=300,duration=30s`.
 * @param where it stands, for a refusal
 * @throws Error that says what is wrong and what is allowed
 */
export const parseStage = (text: string, where = `--stage ${text}`): Stage => {
  const found = new Map<string, number>();
  for (const part of text.split(',')) {
    const [, word, value] = words.exec(part.trim()) ?? [];
    if (word === undefined || value === undefined || found.has(word))
      throw new Error(`${where}: write users=N or rate=N, then duration=TIME, and spawn-rate=N if you like`);
    found.set(word, numberOf(where, word, value));
  }
  const [users, rate, duration, spawnRate] = ['users', 'rate', 'duration', 'spawn-rate'].map((word) => found.get(word));
  if (duration === undefined || (users === undefined) === (rate === undefined))
    throw new Error(`${where}: a stage has a duration, and either users or a rate`);
  return {
    durationSeconds: duration,
    ...(users === undefined ? {} : { users }),
    ...(rate === undefined ? {} : { rate }),
    ...(spawnRate === undefined ? {} : { spawnRate }),
  };
};

/** Most stages of a run. */
const stagesMax = 1000;

/**
 * Checks that stages belong together.
 * @throws Error that says what is wrong
 */
export const checkStages = (stages: readonly Stage[]): readonly Stage[] => {
  if (stages.length > stagesMax) throw new Error(`There are ${stages.length} stages; at most ${stagesMax} are allowed`);
  const rates = stages.filter(({ rate }) => rate !== undefined).length;
  if (rates !== 0 && rates !== stages.length)
    throw new Error('Some stages have users and some a rate: a run is one or the other');
  return stages;
};
