/**
 * The closed model: a number of users, started at a rate, each waiting for its answer before it
 * goes on (Locust's model).
 * @module
 */
import type { ScenarioException } from '../containment/exceptions.ts';
import { Alarms } from './alarms.ts';
import { type Crowd, TaskCounter } from './crowd.ts';
import { type Random, randomOf } from './random.ts';
import { type Behaviour, type Step, stepsOf } from './schedule.ts';
import type { UserPlan } from './stages.ts';

/** Time between two looks at how many users there should be, milliseconds. */
const lookMs = 10;

/** The plan of a crowd, and the acts of its users. */
export interface CrowdPlan<Task extends string, User> {
  readonly users: UserPlan;
  readonly seed: string;
  readonly behaviour: Behaviour<Task>;
  /**
   * Makes a user.
   * @param index its number in the run, from 0: the same number is the same user, if it comes back
   * later
   */
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

/** One user of the crowd. */
interface Member<User> {
  readonly user: User;
  readonly random: Random;
  isWanted: boolean;
  /** From its entering until it has left. */
  isHere: boolean;
  isReady: boolean;
  isAsleep: boolean;
}

/** The crowd of the closed model. It starts when it is made. */
class ClosedUsers<Task extends string, User> implements Crowd {
  readonly ended: Promise<void>;
  /** No start is intended, so none is dropped. */
  readonly droppedStarts = undefined;

  readonly #plan: CrowdPlan<Task, User>;
  readonly #share: { readonly first: number; readonly of: number };
  readonly #startMs: number;
  readonly #step: (random: Random) => Step<Task>;
  readonly #end: () => void;
  readonly #counter = new TaskCounter();
  readonly #alarms = new Alarms();
  readonly #members: Member<User>[] = [];
  #wanted = 0;
  #here = 0;
  #ready = 0;
  #waitMs = 0;
  #userMs = 0;
  /** When the number of wanted users changed last. */
  #changedMs: number;
  #factor = 1;
  #isStopped = false;

  constructor(plan: CrowdPlan<Task, User>) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
    this.#plan = plan;
    this.#share = plan.share ?? { first: 0, of: 1 };
    this.#startMs = plan.startMs ?? performance.now();
    this.#changedMs = this.#startMs;
    this.#step = stepsOf(plan.behaviour);
    this.#look();
  }

  get started(): number {
    return this.#members.length;
  }

  get active(): number {
    return this.#wanted;
  }

  get ready(): number {
    return this.#ready;
  }

  get isReady(): boolean {
    return this.#ready >= this.#shareOf(Math.round(this.#plan.users.usersMax * Math.min(1, this.#factor)));
  }

  get tasks(): number {
    return this.#counter.tasks;
  }

  get lateStarts(): number {
    return this.#counter.lateStarts;
  }

  get taskMs(): number {
    return this.#counter.taskMs;
  }

  get waitMs(): number {
    return this.#waitMs;
  }

  get userMs(): number {
    if (!this.#isStopped) this.#countTime();
    return this.#userMs;
  }

  get inFlight(): number {
    return this.#counter.inFlight;
  }

  get exceptions(): readonly ScenarioException[] {
    return this.#counter.exceptions;
  }

  scale(factor: number): void {
    this.#factor = factor;
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#countTime();
    this.#isStopped = true;
    this.#alarms.clear();
    if (this.#here === 0) this.#end();
    // Users that act leave when they have done; users that sleep leave now.
    else for (const member of this.#members) if (member.isAsleep) this.#leave(member);
  }

  /** Users of this process, when the run has `users`. */
  #shareOf(users: number): number {
    const { first, of } = this.#share;
    return Math.max(0, Math.ceil((users - first) / of));
  }

  /** Brings the number of users in line with the plan, now and every few milliseconds. */
  #look(): void {
    if (this.#isStopped) return;
    const nowMs = performance.now();
    const seconds = (nowMs - this.#startMs) / 1000;
    const planned = this.#plan.users.usersAt(seconds) * this.#factor;
    const users = seconds < 0 ? 0 : this.#shareOf(Math.round(planned));
    if (users !== this.#wanted) this.#countTime();
    while (this.#wanted < users) this.#want(this.#wanted++);
    while (this.#wanted > users) {
      const member = this.#members[--this.#wanted];
      if (member !== undefined) member.isWanted = false;
    }
    this.#alarms.at(Math.max(this.#startMs, nowMs + lookMs), () => this.#look());
  }

  #want(index: number): void {
    const member = this.#members[index] ?? this.#create(index);
    member.isWanted = true;
    // One that has not finished leaving comes back when it has.
    if (!member.isHere) this.#arrive(member);
  }

  #create(index: number): Member<User> {
    const number = this.#share.first + index * this.#share.of;
    const member = {
      user: this.#plan.create(number),
      random: randomOf(this.#plan.seed, number),
      isWanted: true,
      isHere: false,
      isReady: false,
      isAsleep: false,
    };
    this.#members.push(member);
    return member;
  }

  #arrive(member: Member<User>): void {
    member.isHere = true;
    this.#here += 1;
    const arrivedMs = performance.now();
    void this.#counter.run(() => this.#plan.enter(member.user)).then(() => this.#goOn(member, arrivedMs));
  }

  /** Waits and acts again. @param begunMs when the act before began */
  #goOn(member: Member<User>, begunMs: number): void {
    this.#noticeReady(member);
    if (this.#isStopped || !member.isWanted) {
      this.#leave(member);
      return;
    }
    const { waitMs, task } = this.#step(member.random);
    const nowMs = performance.now();
    const dueMs = this.#plan.behaviour.isPacing ? Math.max(nowMs, begunMs + waitMs) : nowMs + waitMs;
    member.isAsleep = true;
    this.#alarms.at(dueMs, () => {
      member.isAsleep = false;
      if (this.#isStopped || !member.isWanted) {
        this.#leave(member);
        return;
      }
      const actsAtMs = performance.now();
      this.#waitMs += dueMs - nowMs;
      void this.#counter.run(() => this.#plan.act(member.user, task), dueMs).then(() => this.#goOn(member, actsAtMs));
    });
  }

  #noticeReady(member: Member<User>): void {
    if (member.isReady || !this.#plan.isReady(member.user)) return;
    member.isReady = true;
    this.#ready += 1;
  }

  #leave(member: Member<User>): void {
    const { leave } = this.#plan;
    if (leave === undefined) this.#left(member);
    else void this.#counter.run(() => leave(member.user, this.#isStopped)).then(() => this.#left(member));
  }

  #left(member: Member<User>): void {
    member.isHere = false;
    this.#here -= 1;
    if (!this.#isStopped && member.isWanted) this.#arrive(member);
    else if (this.#isStopped && this.#here === 0) this.#end();
  }

  /** Adds up the users by the time they were wanted, until now. */
  #countTime(): void {
    const nowMs = performance.now();
    this.#userMs += this.#wanted * (nowMs - this.#changedMs);
    this.#changedMs = nowMs;
  }
}

/** Starts the users. */
export const startCrowd = <Task extends string, User>(plan: CrowdPlan<Task, User>): Crowd => new ClosedUsers(plan);
