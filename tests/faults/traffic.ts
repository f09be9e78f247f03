/**
 * Ordinary use of workers that a fault does not touch, and its failures.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { goodPassword } from '../harness/client.ts';
import type { PinnedWorker, Reply } from './pinned-worker.ts';
import type { Watched } from './watcher.ts';

/** Time between two sign-ins on one worker, milliseconds. */
const everyMs = 100;

/** Failures among requests. */
export interface Failures {
  readonly requests: number;
  /** Each as a line. */
  readonly failed: readonly string[];
}

interface Request {
  readonly sentMs: number;
  /** `undefined`: the answer was right. */
  readonly problem: string | undefined;
}

/** Signs in and refreshes on each worker in a loop until it is stopped. */
export class Traffic implements AsyncDisposable {
  readonly #requests: Request[] = [];
  readonly #loops: readonly Promise<void>[];
  #isStopped = false;

  /** @param email account that signs in on the worker with this index */
  constructor(workers: readonly PinnedWorker[], email: (index: number) => string) {
    this.#loops = workers.map((worker, index) => this.#use(worker, email(index)));
  }

  /** Stops; resolves when every request has been answered, or its connection is gone. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#loops);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Requests sent between two times of the monotonic clock, together with checks of tokens under watch on the same workers. */
  judge(workers: readonly PinnedWorker[], tokens: readonly Watched[], fromMs: number, toMs: number): Failures {
    const labels = new Set(workers.map(({ label }) => label));
    const checks = tokens
      .flatMap(({ asked }) => asked)
      .filter(({ worker }) => labels.has(worker))
      .map(({ sentMs, status, code, worker }) => ({
        sentMs,
        problem: status === 200 || status === 401 ? undefined : `verify on ${worker}: ${status ?? ''} ${code ?? ''}`,
      }));
    const during = [...this.#requests, ...checks].filter(({ sentMs }) => sentMs >= fromMs && sentMs <= toMs);
    return { requests: during.length, failed: during.flatMap(({ problem }) => problem ?? []) };
  }

  async #use(worker: PinnedWorker, email: string): Promise<void> {
    for (; !this.#isStopped; await delay(everyMs)) {
      const login = await this.#send('login', worker, { email, password: goodPassword, tenant: 'lab' });
      const token = login?.body['refresh_token'];
      if (token !== undefined) await this.#send('refresh', worker, { refresh_token: token });
    }
  }

  async #send(name: 'login' | 'refresh', worker: PinnedWorker, body: object): Promise<Reply | undefined> {
    const sentMs = performance.now();
    let problem: string | undefined;
    let reply: Reply | undefined;
    try {
      reply = await worker.send('POST', `/auth/${name}`, { body });
      if (reply.status !== 200) problem = `${name} on ${worker.label}: ${reply.status} ${reply.body['code'] ?? ''}`;
    } catch (error) {
      problem = `${name} on ${worker.label}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
    }
    this.#requests.push({ sentMs, problem });
    return reply;
  }
}
