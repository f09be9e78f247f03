/**
 * Hash lanes: a bounded number of hashes at once, a bounded queue in front of them, and a refusal
 * with `Retry-After` beyond it.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';
import { CatalyticError } from '@catalytic/protocol/errors';
import type { PasswordHasher } from '../features/passwords/hasher.ts';
import type { Secret } from '../features/secrets/secret.ts';
import type { LaneReply, LaneRequest } from './lane-process.ts';
import { ReturnTimes } from './return-times.ts';

interface Job {
  readonly password: Secret<string>;
  readonly storedHash: string | undefined;
  readonly resolve: (result: string | boolean) => void;
  readonly reject: (error: Error) => void;
  /**
   * Monotonic, milliseconds. After this time the job is refused instead of started, because its
   * client no longer waits.
   */
  readonly deadlineMs: number;
}

interface Running {
  readonly job: Job;
  readonly startedAtMs: number;
}

/**
 * Most waiting jobs, whatever the deadline. It bounds memory if hashes are very fast and the
 * deadline is very long.
 */
const waitingMax = 10_000;
/** Weight of the newest measurement in the running mean of a hash's duration. */
const meanWeight = 0.1;
/** Expected duration of a hash before the first one has been measured, milliseconds. */
const firstGuessMs = 50;
const restartDelayMs = 200;
/** If one hash runs this long, the hashing process hangs and is replaced, milliseconds. */
const stuckMs = 30_000;
const watchEveryMs = 500;

/** How the lanes are set up. */
export interface HashLanesOptions {
  /** Hashes at once on this machine. */
  readonly lanes: number;
  /** Longest wait for a lane, milliseconds. */
  readonly queueMs: number;
  readonly onProblem: (message: string) => void;
}

/** Hashes passwords in one child process of low priority. */
export class HashLanes implements PasswordHasher {
  readonly #options: HashLanesOptions;
  #child: ChildProcess | undefined;
  readonly #running = new Map<number, Running>();
  // A queue. The head index avoids shifting thousands of entries in a login storm.
  #waiting: Job[] = [];
  #head = 0;
  #nextId = 0;
  #meanMs = firstGuessMs;
  readonly #returnTimes = new ReturnTimes();
  #isClosed = false;
  readonly #watch: NodeJS.Timeout;

  constructor(options: HashLanesOptions) {
    this.#options = options;
    this.#start();
    this.#watch = setInterval(() => this.#refuseLate(), watchEveryMs);
  }

  async hash(password: Secret<string>): Promise<string> {
    return String(await this.#enqueue(password, undefined));
  }

  async verify(storedHash: string, password: Secret<string>): Promise<boolean> {
    return (await this.#enqueue(password, storedHash)) === true;
  }

  admit(): void {
    if (this.#isClosed) throw new CatalyticError('shutting_down');
    // The queue advances by `lanes` jobs in each mean duration. If that is too slow for the
    // deadline, the job is refused now, not after the wait.
    const isFree = this.#running.size < this.#options.lanes && this.#waitingCount === 0 && this.#child !== undefined;
    const expectedWaitMs = isFree ? 0 : ((this.#waitingCount + 1) * this.#meanMs) / this.#options.lanes;
    if (expectedWaitMs > this.#options.queueMs || this.#waitingCount >= waitingMax) throw this.#refuse(expectedWaitMs);
  }

  /**
   * Refuses waiting jobs and ends the child. Call it when no request can be waiting for a running
   * hash any more.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#watch);
    for (const job of this.#takeWaiting()) job.reject(new CatalyticError('shutting_down'));
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
    return this.#waitingCount;
  }

  get #waitingCount(): number {
    return this.#waiting.length - this.#head;
  }

  #enqueue(password: Secret<string>, storedHash: string | undefined): Promise<string | boolean> {
    return new Promise((resolve, reject) => {
      this.admit();
      const deadlineMs = performance.now() + this.#options.queueMs;
      this.#waiting.push({ password, storedHash, resolve, reject, deadlineMs });
      this.#fill();
    });
  }

  /**
   * The job never entered the queue. Its turn comes after the whole queue, and after the clients
   * that were refused before it.
   */
  #refuse(expectedWaitMs: number): CatalyticError {
    const hashMs = this.#meanMs / this.#options.lanes;
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

  #fill(): void {
    const child = this.#child;
    while (child?.connected === true && this.#running.size < this.#options.lanes && this.#waitingCount > 0) {
      const job = this.#waiting[this.#head++] as Job;
      const nowMs = performance.now();
      if (nowMs > job.deadlineMs) {
        job.reject(this.#giveUp(this.#options.queueMs));
        continue;
      }
      const id = this.#nextId++;
      this.#running.set(id, { job, startedAtMs: nowMs });
      const request: LaneRequest = {
        id,
        password: job.password.reveal(),
        ...(job.storedHash === undefined ? {} : { storedHash: job.storedHash }),
      };
      child.send(request);
    }
    if (this.#head > 1024 || this.#waitingCount === 0) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Enforces the deadlines while no lane gets free, and ends a process that hangs. */
  #refuseLate(): void {
    const nowMs = performance.now();
    while (this.#waitingCount > 0 && (this.#waiting[this.#head] as Job).deadlineMs < nowMs)
      (this.#waiting[this.#head++] as Job).reject(this.#giveUp(this.#options.queueMs));
    const [oldest] = this.#running.values();
    if (oldest !== undefined && nowMs - oldest.startedAtMs > stuckMs) this.#child?.kill('SIGKILL');
  }

  #takeWaiting(): Job[] {
    const jobs = this.#waiting.slice(this.#head);
    this.#waiting = [];
    this.#head = 0;
    return jobs;
  }

  #start(): void {
    const child = fork(fileURLToPath(new URL('./lane-process.ts', import.meta.url)), {
      // Only the variables that the child needs: the master key must not be in its environment. One
      // pool thread for each lane.
      env: { UV_THREADPOOL_SIZE: String(this.#options.lanes), NODE_COMPILE_CACHE: getCompileCacheDir() },
      execArgv: [],
    });
    child.on('message', (reply: LaneReply) => this.#settle(reply));
    child.on('exit', (code, signal) => this.#onExit(child, code, signal));
    child.on('error', (error) => this.#options.onProblem(`Cannot talk to the hashing process: ${error.message}`));
    this.#child = child;
    this.#fill();
  }

  #settle(reply: LaneReply): void {
    const running = this.#running.get(reply.id);
    this.#running.delete(reply.id);
    if (running !== undefined) {
      this.#meanMs += meanWeight * (performance.now() - running.startedAtMs - this.#meanMs);
      if ('error' in reply) running.job.reject(new Error(`Cannot hash: ${reply.error}`));
      else running.job.resolve(reply.result);
    }
    this.#fill();
  }

  #onExit(child: ChildProcess, code: number | null, signal: string | null): void {
    if (this.#child === child) this.#child = undefined;
    for (const { job } of this.#running.values()) job.reject(this.#giveUp(restartDelayMs));
    this.#running.clear();
    if (this.#isClosed) return;
    this.#options.onProblem(`Restarting the hashing process: it ended with ${signal ?? `code ${code}`}`);
    setTimeout(() => {
      if (!this.#isClosed) this.#start();
    }, restartDelayMs);
  }
}
