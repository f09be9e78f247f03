/**
 * Hash lanes: a bounded number of hashes at once, a bounded queue in front of them, and a refusal
 * with `Retry-After` beyond it. Hashes of other systems have a quota of the lanes and a queue of
 * their own, so that however slow they are, a sign-in with today's hash finds a lane.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';
import { CatalyticError } from '@catalytic/protocol/errors';
import { needsUpgrade } from '../features/passwords/hash-format.ts';
import type { PasswordHasher } from '../features/passwords/hasher.ts';
import type { Secret } from '../features/secrets/secret.ts';
import { type Job, LaneGroup } from './lane-group.ts';
import { type LaneReply, type LaneRequest, ping } from './lane-messages.ts';
import { RefusalTime } from './refusal-time.ts';
import { ReturnTimes } from './return-times.ts';

interface Running {
  readonly job: Job;
  readonly group: LaneGroup;
  readonly startedAtMs: number;
}

/** Expected duration of a check of today's hash, and of another system's, milliseconds. */
const firstGuessMs = { today: 50, foreign: 300 };
const restartDelayMs = 200;
/**
 * If the hashing process says nothing for this long, it hangs and is replaced, milliseconds. It
 * answers a ping while hashes run, so a slow hash does not count.
 */
const stuckMsDefault = 30_000;
const watchEveryMs = 500;

/** How the lanes are set up. */
export interface HashLanesOptions {
  /** Hashes at once on this machine. With one lane, a hash of another system may run beside it. */
  readonly lanes: number;
  /** Most of them for hashes that are not today's. @default half of the lanes, at least one */
  readonly foreignLanes?: number;
  /** Longest wait for a lane, milliseconds. */
  readonly queueMs: number;
  /** Longest silence of the hashing process while hashes run, milliseconds. @default 30,000 */
  readonly stuckMs?: number;
  /**
   * Whether a check that fails takes as long whatever the hash is; see {@link RefusalTime}.
   * @default true
   */
  readonly evensRefusals?: boolean;
  readonly onProblem: (message: string) => void;
}

/** Hashes passwords in one child process of low priority. */
export class HashLanes implements PasswordHasher {
  readonly #options: HashLanesOptions;
  readonly #today: LaneGroup;
  /** Hashes of other systems, and those of an earlier cost. */
  readonly #foreign: LaneGroup;
  readonly #threads: number;
  #child: ChildProcess | undefined;
  readonly #running = new Map<number, Running>();
  #nextId = 0;
  readonly #returnTimes = new ReturnTimes();
  readonly #refusalTime = new RefusalTime();
  #isClosed = false;
  /** When the child was last heard, monotonic milliseconds. */
  #heardMs = 0;
  readonly #watch: NodeJS.Timeout;

  constructor(options: HashLanesOptions) {
    const { lanes, foreignLanes = Math.max(1, Math.floor(lanes / 2)) } = options;
    this.#options = options;
    this.#today = new LaneGroup(lanes, firstGuessMs.today);
    this.#foreign = new LaneGroup(foreignLanes, firstGuessMs.foreign);
    this.#threads = lanes === 1 ? 2 : lanes;
    this.#start();
    this.#watch = setInterval(() => this.#look(), watchEveryMs);
  }

  async hash(password: Secret<string>): Promise<string> {
    return String(await this.#enqueue(this.#today, password, undefined));
  }

  async verify(storedHash: string, password: Secret<string>): Promise<boolean> {
    const group = needsUpgrade(storedHash) ? this.#foreign : this.#today;
    return (await this.#enqueue(group, password, storedHash)) === true;
  }

  admit(): void {
    this.#admit(this.#today);
  }

  /**
   * Refuses waiting jobs and ends the child. Call it when no request can be waiting for a running
   * hash any more.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#watch);
    for (const group of this.#groups)
      for (const job of group.takeAll()) job.reject(new CatalyticError('shutting_down'));
    const child = this.#child;
    if (child?.connected !== true) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.disconnect();
    await ended;
  }

  /** Number of running hashes. */
  get busy(): number {
    return this.#running.size;
  }

  /** Number of passwords that wait for a lane. */
  get queued(): number {
    return this.#today.waiting + this.#foreign.waiting;
  }

  get #groups(): readonly LaneGroup[] {
    return [this.#today, this.#foreign];
  }

  /** Refuses now what would wait too long, not after the wait. */
  #admit(group: LaneGroup): void {
    if (this.#isClosed) throw new CatalyticError('shutting_down');
    const threads = this.#child === undefined ? 0 : this.#threads - (this.#running.size - group.running);
    const expectedWaitMs = group.expectedWaitMs(threads);
    if (expectedWaitMs > this.#options.queueMs) throw this.#refuse(expectedWaitMs, group.hashMs(threads));
  }

  #enqueue(group: LaneGroup, password: Secret<string>, storedHash: string | undefined): Promise<string | boolean> {
    return new Promise((resolve, reject) => {
      this.#admit(group);
      const deadlineMs = performance.now() + this.#options.queueMs;
      group.add({ password, storedHash, resolve, reject, deadlineMs });
      this.#fill();
    });
  }

  /**
   * The job never entered the queue. Its turn comes after the whole queue, and after the clients
   * that were refused before it.
   */
  #refuse(expectedWaitMs: number, hashMs: number): CatalyticError {
    const retryAfterSeconds = this.#returnTimes.take(performance.now(), expectedWaitMs, hashMs, Math.random());
    return new CatalyticError('hashing_busy', { retryAfterSeconds });
  }

  /**
   * The job was queued but timed out. Suggest a short retry so the client does not queue again
   * behind everyone. Retry-After has whole seconds.
   */
  #giveUp(waitMs: number): CatalyticError {
    return new CatalyticError('hashing_busy', { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) });
  }

  /** Starts the jobs that have a lane, in the order of their arrival. */
  #fill(): void {
    while (this.#child?.connected === true && this.#running.size < this.#threads) {
      const group = this.#today.nextDeadlineMs <= this.#foreign.nextDeadlineMs ? this.#today : this.#foreign;
      if (group.nextDeadlineMs === Number.POSITIVE_INFINITY) return;
      const job = group.take();
      const nowMs = performance.now();
      if (nowMs > job.deadlineMs) job.reject(this.#giveUp(this.#options.queueMs));
      else this.#run(this.#child, group, job, nowMs);
    }
  }

  #run(child: ChildProcess, group: LaneGroup, job: Job, startedAtMs: number): void {
    const id = this.#nextId++;
    if (this.#running.size === 0) this.#heardMs = startedAtMs;
    this.#running.set(id, { job, group, startedAtMs });
    group.running++;
    const request: LaneRequest = {
      id,
      password: job.password.reveal(),
      ...(job.storedHash === undefined ? {} : { storedHash: job.storedHash }),
    };
    child.send(request);
  }

  /** Enforces the deadlines while no lane gets free, and ends a process that hangs. */
  #look(): void {
    const nowMs = performance.now();
    for (const group of this.#groups)
      for (const job of group.takeLate(nowMs)) job.reject(this.#giveUp(this.#options.queueMs));
    const child = this.#child;
    if (this.#running.size === 0 || child?.connected !== true) return;
    if (nowMs - this.#heardMs > (this.#options.stuckMs ?? stuckMsDefault)) child.kill('SIGKILL');
    else child.send(ping);
  }

  #start(): void {
    const child = fork(fileURLToPath(new URL('./lane-process.ts', import.meta.url)), {
      // Only the variables that the child needs: the master key must not be in its environment. One
      // pool thread for each hash that runs.
      env: { UV_THREADPOOL_SIZE: String(this.#threads), NODE_COMPILE_CACHE: getCompileCacheDir() },
      execArgv: [],
    });
    child.on('message', (reply: LaneReply | typeof ping) => {
      this.#heardMs = performance.now();
      if (reply !== ping) this.#settle(reply);
    });
    child.on('exit', (code, signal) => this.#onExit(child, code, signal));
    child.on('error', (error) => this.#options.onProblem(`Cannot talk to the hashing process: ${error.message}`));
    this.#child = child;
    this.#fill();
  }

  #settle(reply: LaneReply): void {
    const running = this.#running.get(reply.id);
    this.#running.delete(reply.id);
    if (running !== undefined) {
      const { job, group, startedAtMs } = running;
      const tookMs = performance.now() - startedAtMs;
      group.running--;
      group.measure(tookMs);
      if (group === this.#today) this.#refusalTime.measure(tookMs);
      if ('error' in reply) job.reject(new Error(`Cannot hash: ${reply.error}`));
      else if (reply.result === false) this.#resolveRefused(job, tookMs);
      else job.resolve(reply.result);
    }
    this.#fill();
  }

  /** The lane is free for the next job meanwhile. */
  #resolveRefused({ resolve }: Job, tookMs: number): void {
    const restMs = this.#options.evensRefusals === false ? 0 : this.#refusalTime.restMs(tookMs);
    if (restMs === 0) resolve(false);
    else setTimeout(resolve, restMs, false);
  }

  #onExit(child: ChildProcess, code: number | null, signal: string | null): void {
    if (this.#child === child) this.#child = undefined;
    for (const { job, group } of this.#running.values()) {
      group.running--;
      job.reject(this.#giveUp(restartDelayMs));
    }
    this.#running.clear();
    if (this.#isClosed) return;
    this.#options.onProblem(`Restarting the hashing process: it ended with ${signal ?? `code ${code}`}`);
    setTimeout(() => {
      if (!this.#isClosed) this.#start();
    }, restartDelayMs);
  }
}
