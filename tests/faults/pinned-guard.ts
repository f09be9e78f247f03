/**
 * One API behind a guard, in a process of its own, and the way from its guard to the service.
 * @module
 */
import { type FaultProxy, startProxy } from '@catalytic/lab/proxy';
import { followedLeases } from '@catalytic/protocol/guards';
import { Pool } from 'undici';
import { followerLeaseMs } from '../../packages/server/src/features/guards/rules.ts';
import { type GuardedApi, startGuardedApi } from '../harness/guarded-api.ts';
import type { Reply } from './pinned-worker.ts';
import type { Respondent } from './watcher.ts';

/** Connections of its clients: a request that hangs does not delay the next. */
const connections = 12;
const answerMsMax = 8000;

/** How it is set up. */
export interface PinnedGuardOptions {
  readonly mode: 'strict' | 'follow';
  /** From 1. */
  readonly number: number;
  /** Port of 127.0.0.1 that all workers share. */
  readonly servicePort: number;
  readonly issuer: string;
  readonly audience: string;
  readonly key: string;
  /** Lease of the workers, milliseconds. */
  readonly leaseMs: number;
}

/** A guarded API, also after it was killed and started again. */
export class PinnedGuard implements Respondent, AsyncDisposable {
  readonly label: string;
  readonly mode: PinnedGuardOptions['mode'];
  readonly lagMsMax: number;
  /** From the guard to the service. */
  readonly way: FaultProxy;
  readonly #options: PinnedGuardOptions;
  #api: GuardedApi;
  #pool: Pool;
  #problemsBefore = '';

  private constructor(options: PinnedGuardOptions, way: FaultProxy, api: GuardedApi) {
    this.mode = options.mode;
    this.label = `${options.mode} guard ${options.number}`;
    this.lagMsMax = options.mode === 'follow' ? followedLeases * followerLeaseMs(options.leaseMs) : 0;
    this.way = way;
    this.#options = options;
    this.#api = api;
    this.#pool = poolOf(api);
  }

  static async start(options: PinnedGuardOptions): Promise<PinnedGuard> {
    const way = await startProxy({ listenPort: 0, targetHost: '127.0.0.1', targetPort: options.servicePort });
    return new PinnedGuard(options, way, await startApi(options, way));
  }

  get pid(): number {
    return this.#api.process.pid ?? 0;
  }

  /** Everything that its guards have complained of. */
  problems(): string {
    return this.#problemsBefore + this.#api.problems();
  }

  async verdict(token: string): Promise<Reply> {
    const { statusCode, body } = await this.#pool.request({
      method: 'GET',
      path: '/',
      headers: { authorization: `Bearer ${token}` },
    });
    return { status: statusCode, body: (await body.json()) as Record<string, unknown> };
  }

  current(): Promise<void> {
    return this.#api.current();
  }

  /** Ends it by a signal, or lets its guard leave first. */
  async end(signal?: NodeJS.Signals): Promise<void> {
    this.#problemsBefore = this.problems();
    await this.#api.end(signal);
    await this.#pool.destroy();
  }

  /** Starts another process in its place. */
  async restart(): Promise<void> {
    this.#api = await startApi(this.#options, this.way);
    this.#pool = poolOf(this.#api);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
    await this.way.close();
  }
}

const startApi = ({ mode, number, issuer, audience, key }: PinnedGuardOptions, way: FaultProxy): Promise<GuardedApi> =>
  startGuardedApi({
    guard: { mode, issuer, audience, key, name: `guard-${number}`, url: `http://127.0.0.1:${way.port}` },
  });

const poolOf = ({ url }: GuardedApi): Pool =>
  new Pool(url, {
    connections,
    pipelining: 1,
    keepAliveTimeout: 500_000,
    headersTimeout: answerMsMax,
    bodyTimeout: answerMsMax,
  });
