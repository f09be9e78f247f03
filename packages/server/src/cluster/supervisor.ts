/**
 * The supervisor: starts the workers of one machine, replaces those that die, and passes on hints
 * and acknowledgements between them. It serves no request and touches no store, so few faults can
 * end it.
 * @module
 */
import cluster, { type Worker } from 'node:cluster';
import type { MemberId } from '@catalytic/protocol/ids';
import type { StopManner } from '../http/stop-manner.ts';
import type { Logger } from '../telemetry/log.ts';
import type { FromWorker, ServiceAddress, ToWorker } from './messages.ts';
import { RestartPolicy } from './restart-policy.ts';

/** The place of one worker. */
interface Slot {
  readonly number: number;
  worker: Running | undefined;
}

/** A worker process. */
interface Running {
  readonly process: Worker;
  readonly members: Set<MemberId>;
  readonly ready: Promise<ServiceAddress>;
  readonly exited: Promise<void>;
  /** Monotonic time at which it began to serve, milliseconds. */
  readyMs: number | undefined;
  isStopping: boolean;
  /** It has reported why it cannot start. */
  isRefused: boolean;
  /** It reads too slowly or not at all: hints to it are dropped until it catches up. */
  isClogged: boolean;
}

/** Options of the supervisor. */
export interface SupervisorOptions {
  /** Arguments of each worker; its number is appended. */
  readonly args: readonly string[];
  readonly workers: number;
  /** How long a worker may wait for the database at its start, milliseconds. */
  readonly databaseWaitMs: number;
  readonly log: Logger;
  /** Called when the service cannot go on. */
  readonly onFailure: (reason: string, exitCode: number) => void;
}

/** A start that takes longer, beside its wait for the database, is hanging; milliseconds. */
const startMsMax = 60_000;
/** Time until a worker that could not start is tried again, milliseconds. */
const refusedDelayMs = 2000;

/** Keeps a number of workers running. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #slots: readonly Slot[];
  readonly #restarts = new RestartPolicy();
  readonly #running = new Map<number, Running>();
  /** Members whose processes are gone, kept until a worker can remove their rows. */
  #reaped: MemberId[] = [];
  #isStopping = false;
  /** Whether any worker has ever served. */
  #hasServed = false;
  #reload: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#slots = Array.from({ length: options.workers }, (_, index) => ({ number: index + 1, worker: undefined }));
    cluster.schedulingPolicy = cluster.SCHED_RR;
  }

  /**
   * Starts all workers. The first starts alone, because it makes the database and keys that all of
   * them need.
   */
  async start(): Promise<ServiceAddress> {
    const [first, ...others] = this.#slots;
    if (first === undefined) throw new Error('Cannot start without workers');
    const service = await this.#fill(first).ready;
    // A worker that dies meanwhile is replaced like any other.
    await Promise.allSettled(others.map((slot) => this.#fill(slot).ready));
    return service;
  }

  /** Replaces all workers, one after the other: the next one serves before the old one stops. */
  async reload(): Promise<void> {
    this.#reload ??= this.#replaceAll().finally(() => {
      this.#reload = undefined;
    });
    await this.#reload;
  }

  /** Stops all workers. */
  async stop(manner: StopManner): Promise<void> {
    this.#isStopping = true;
    const all = [...this.#running.values()];
    for (const running of all) this.#askToStop(running, manner);
    await Promise.all(all.map(({ exited }) => exited));
  }

  async #replaceAll(): Promise<void> {
    const { log } = this.#options;
    for (const slot of this.#slots) {
      const old = slot.worker;
      try {
        await this.#fill(slot).ready;
      } catch (error) {
        log.error(
          { error, worker: slot.number },
          'Cannot reload: the new worker does not start; the others stay as they are',
        );
        if (old?.readyMs !== undefined) slot.worker = old;
        return;
      }
      if (old !== undefined) {
        this.#askToStop(old, 'replaced');
        await old.exited;
      }
      log.info({ worker: slot.number }, 'Reloaded a worker');
      if (this.#isStopping) return;
    }
  }

  #askToStop(running: Running, manner: StopManner): void {
    running.isStopping = true;
    send(running.process, { type: 'stop', manner });
  }

  /** Starts a worker for a slot. */
  #fill(slot: Slot): Running {
    cluster.setupPrimary({ args: [...this.#options.args, '--worker-number', String(slot.number)] });
    const process = cluster.fork();
    const ready = Promise.withResolvers<ServiceAddress>();
    const exited = Promise.withResolvers<void>();
    const running: Running = {
      process,
      members: new Set(),
      ready: ready.promise,
      exited: exited.promise,
      readyMs: undefined,
      isStopping: false,
      isRefused: false,
      isClogged: false,
    };
    // The caller may no longer wait for the worker.
    running.ready.catch(() => {});
    this.#running.set(process.id, running);
    slot.worker = running;
    const timer = setTimeout(() => process.process.kill('SIGKILL'), startMsMax + this.#options.databaseWaitMs);
    process.on('message', (message: FromWorker) => {
      if (message.type === 'refused') {
        running.isRefused = true;
        // A cause at the first start is permanent. A later one may pass: the database may be away
        // for a while.
        if (this.#hasServed)
          this.#options.log.error({ worker: slot.number, reason: message.reason }, 'A worker cannot start');
        else this.#fail(message.reason, message.exitCode);
      } else if (message.type === 'ready') {
        clearTimeout(timer);
        running.readyMs = performance.now();
        this.#hasServed = true;
        ready.resolve(message.service);
        this.#passOnReaped();
      } else this.#route(running, message);
    });
    process.on('error', () => {});
    process.once('exit', (code, signal) => {
      clearTimeout(timer);
      this.#running.delete(process.id);
      ready.reject(new Error(`Worker ${slot.number} ended before it served (${signal ?? `exit code ${code}`})`));
      this.#reaped.push(...running.members);
      this.#passOnReaped();
      this.#replaceIfLost(slot, running, signal ?? `exit code ${code}`);
      exited.resolve();
    });
    return running;
  }

  /**
   * Sends hints and requests to every other worker, and acknowledgements and answers to the one
   * that waits for them.
   */
  #route(from: Running, message: Exclude<FromWorker, { type: 'ready' | 'refused' }>): void {
    switch (message.type) {
      case 'registering':
        from.members.add(message.member);
        return;
      case 'hint':
        for (const other of this.#running.values())
          if (other !== from) passOn(other, { type: 'hint', hint: message.hint, from: from.process.id });
        return;
      case 'acknowledgement': {
        const to = this.#running.get(message.to);
        if (to !== undefined) send(to.process, { type: 'acknowledgement', acknowledgement: message.acknowledgement });
        return;
      }
      case 'collect': {
        const { collection } = message;
        const asked = [...this.#running.values()].filter(
          (other) =>
            other !== from &&
            other.readyMs !== undefined &&
            !other.isStopping &&
            passOn(other, { type: 'collect', collection, from: from.process.id }),
        );
        send(from.process, { type: 'collecting', collection, workers: asked.length });
        return;
      }
      case 'collected': {
        const { to, collection, snapshot } = message;
        const asker = this.#running.get(to);
        if (asker !== undefined) send(asker.process, { type: 'collected', collection, snapshot });
      }
    }
  }

  #passOnReaped(): void {
    const helper = [...this.#running.values()].find(({ readyMs, isStopping }) => readyMs !== undefined && !isStopping);
    if (helper === undefined || this.#reaped.length === 0) return;
    send(helper.process, { type: 'reaped', members: this.#reaped.splice(0) });
  }

  #replaceIfLost(slot: Slot, lost: Running, how: string): void {
    if (this.#isStopping || lost.isStopping || slot.worker !== lost) return;
    const { log } = this.#options;
    const nowMs = performance.now();
    const servedMs = nowMs - (lost.readyMs ?? nowMs);
    const delayMs = lost.isRefused ? refusedDelayMs : this.#restarts.delayMs(nowMs, servedMs);
    if (delayMs === undefined) {
      this.#fail(`the workers die again and again, the last one by ${how}; the lines above say why`, 1);
      return;
    }
    log.error({ worker: slot.number, how, delayMs }, 'A worker has died; starting another one');
    setTimeout(() => {
      if (!this.#isStopping && slot.worker === lost) this.#fill(slot);
    }, delayMs);
  }

  #fail(reason: string, exitCode: number): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#options.onFailure(reason, exitCode);
  }
}

const send = (worker: Worker, message: ToWorker): void => {
  // A worker that has just died is reaped in a moment, and needs no message.
  if (worker.isConnected()) worker.send(message, () => {});
};

/**
 * Passes on a message that may be lost: a hint, which is in the journal too, or a request. Queued
 * for a worker that does not read, it would only take memory. Returns whether it was sent.
 */
const passOn = (to: Running, message: ToWorker): boolean => {
  if (to.isClogged || !to.process.isConnected()) return false;
  to.isClogged = !to.process.send(message, () => {
    to.isClogged = false;
  });
  return true;
};
