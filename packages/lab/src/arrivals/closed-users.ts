/**
 * The closed model: a number of users, started at a rate, each waiting for its answer before it goes on (Locust's model).
 * @module
 */
import { Alarms } from './alarms.ts';
import { type Crowd, TaskCounter } from './crowd.ts';
import { type Random, randomOf } from './random.ts';
import { type Behaviour, stepsOf } from './schedule.ts';
import type { UserPlan } from './stages.ts';

/** Time between two looks at how many users there should be, milliseconds. */
const lookMs = 10;

/** What to do with a user. */
export interface CrowdPlan<Task extends string, User> {
  readonly users: UserPlan;
  readonly seed: string;
  readonly behaviour: Behaviour<Task>;
  /** Makes a user. @param index its number in the run, from 0: the same number is the same user, if it comes back later */
  readonly create: (index: number) => User;
  /** First act of a user, and first act when it comes back. */
  readonly enter: (user: User) => Promise<void>;
  readonly act: (user: User, task: Task) => Promise<void>;
  /** Last act of a user that goes. @param isEnd whether it goes because the run is over */
  readonly leave?: (user: User, isEnd: boolean) => Promise<void>;
  readonly isReady: (user: User) => boolean;
  /** Share of the users that this process has: user `first`, and every `of`-th after it. */
  readonly share?: { readonly first: number; readonly of: number };
  /** When the run starts, on this process's monotonic clock; now when absent. */
  readonly startMs?: number;
}

interface Member<User> {
  readonly user: User;
  readonly random: Random;
  isWanted: boolean;
  /** From its entering until it has left. */
  isHere: boolean;
  isReady: boolean;
  isAsleep: boolean;
}

/** Starts the users. */
export const startCrowd = <Task extends string, User>(plan: CrowdPlan<Task, User>): Crowd => {
  const counter = new TaskCounter();
  const alarms = new Alarms();
  const members: Member<User>[] = [];
  const step = stepsOf(plan.behaviour);
  const { first, of } = plan.share ?? { first: 0, of: 1 };
  const startMs = plan.startMs ?? performance.now();
  const state = { wanted: 0, here: 0, ready: 0, waitMs: 0, userMs: 0, changedMs: startMs, factor: 1 };
  let isStopped = false;
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();

  /** Users of this process among so many of the run. */
  const shareOf = (users: number): number => Math.max(0, Math.ceil((users - first) / of));

  const countTime = (): void => {
    const nowMs = performance.now();
    state.userMs += state.wanted * (nowMs - state.changedMs);
    state.changedMs = nowMs;
  };

  const noticeReady = (member: Member<User>): void => {
    if (member.isReady || !plan.isReady(member.user)) return;
    member.isReady = true;
    state.ready += 1;
  };

  const left = (member: Member<User>): void => {
    member.isHere = false;
    state.here -= 1;
    if (!isStopped && member.isWanted) arrive(member);
    else if (isStopped && state.here === 0) end();
  };

  const leave = (member: Member<User>): void => {
    const { leave: act } = plan;
    if (act === undefined) left(member);
    else void counter.run(() => act(member.user, isStopped)).then(() => left(member));
  };

  const goOn = (member: Member<User>, begunMs: number): void => {
    noticeReady(member);
    if (isStopped || !member.isWanted) {
      leave(member);
      return;
    }
    const { waitMs, task } = step(member.random);
    const nowMs = performance.now();
    const dueMs = plan.behaviour.isPacing ? Math.max(nowMs, begunMs + waitMs) : nowMs + waitMs;
    member.isAsleep = true;
    alarms.at(dueMs, () => {
      member.isAsleep = false;
      if (isStopped || !member.isWanted) {
        leave(member);
        return;
      }
      const actsAtMs = performance.now();
      state.waitMs += dueMs - nowMs;
      void counter.run(() => plan.act(member.user, task), dueMs).then(() => goOn(member, actsAtMs));
    });
  };

  const arrive = (member: Member<User>): void => {
    member.isHere = true;
    state.here += 1;
    const arrivedMs = performance.now();
    void counter.run(() => plan.enter(member.user)).then(() => goOn(member, arrivedMs));
  };

  const want = (index: number): void => {
    let member = members[index];
    if (member === undefined) {
      const number = first + index * of;
      member = {
        user: plan.create(number),
        random: randomOf(plan.seed, number),
        isWanted: true,
        isHere: false,
        isReady: false,
        isAsleep: false,
      };
      members.push(member);
    }
    member.isWanted = true;
    // One that has not finished leaving comes back when it has.
    if (!member.isHere) arrive(member);
  };

  const look = (): void => {
    if (isStopped) return;
    const nowMs = performance.now();
    const seconds = (nowMs - startMs) / 1000;
    const users = seconds < 0 ? 0 : shareOf(Math.round(plan.users.usersAt(seconds) * state.factor));
    if (users !== state.wanted) countTime();
    while (state.wanted < users) want(state.wanted++);
    while (state.wanted > users) {
      const member = members[--state.wanted];
      if (member !== undefined) member.isWanted = false;
    }
    alarms.at(Math.max(startMs, nowMs + lookMs), look);
  };
  look();

  return {
    get started() {
      return members.length;
    },
    get active() {
      return state.wanted;
    },
    get ready() {
      return state.ready;
    },
    get isReady() {
      return state.ready >= shareOf(Math.round(plan.users.usersMax * Math.min(1, state.factor)));
    },
    get tasks() {
      return counter.tasks;
    },
    get lateStarts() {
      return counter.lateStarts;
    },
    droppedStarts: undefined,
    get taskMs() {
      return counter.taskMs;
    },
    get waitMs() {
      return state.waitMs;
    },
    get userMs() {
      if (!isStopped) countTime();
      return state.userMs;
    },
    get inFlight() {
      return counter.inFlight;
    },
    get exceptions() {
      return counter.exceptions;
    },
    ended,
    scale: (factor) => {
      state.factor = factor;
    },
    stop: () => {
      if (isStopped) return;
      countTime();
      isStopped = true;
      alarms.clear();
      if (state.here === 0) return end();
      // Those who act go when they have done; those who slept go now.
      for (const member of members) if (member.isAsleep) leave(member);
    },
  };
};
