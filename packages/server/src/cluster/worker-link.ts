/**
 * A worker's end of the pipe to its supervisor.
 * @module
 */
import cluster from 'node:cluster';
import { hostname } from 'node:os';
import type { MemberId } from '@catalytic/protocol/ids';
import type { HintBus } from '../features/revocation/hint-bus.ts';
import type { MetricsSnapshot } from '../telemetry/metrics.ts';
import type { FromWorker, ServiceAddress, ToWorker } from './messages.ts';
import { MetricsCollector } from './metrics-collector.ts';

/** What a process that serves has to do with the other processes of its machine. */
export interface WorkerLink {
  /** `machine/worker number/process id`. */
  readonly name: string;
  /** Its place among the processes that serve on this machine, from 1. */
  readonly number: number;
  readonly bus: HintBus;
  /** Tells who will reap this process under which id it registers. */
  registering(member: MemberId): void;
  /** Says what to do when other processes have been reaped. */
  onReaped(remove: (members: readonly MemberId[]) => void): void;
  /** What the other processes have measured, as far as they answer within half a second. */
  collectMetrics(): Promise<readonly MetricsSnapshot[]>;
  /** Says what to answer when another process asks. */
  onCollectMetrics(measure: () => Promise<MetricsSnapshot>): void;
}

const nameOf = (workerNumber: number): string => `${hostname()}/${workerNumber}/${process.pid}`;

/** A process without a supervisor. */
export const aloneLink = (): WorkerLink => ({
  name: nameOf(1),
  number: 1,
  bus: { announce: () => {}, listen: () => {} },
  registering: () => {},
  onReaped: () => {},
  collectMetrics: async () => [],
  onCollectMetrics: () => {},
});

/** The link of a worker that a supervisor has started. */
export class SupervisedLink implements WorkerLink {
  readonly name: string;
  readonly number: number;
  #isClogged = false;
  // What a supervisor that does not read has been asked, it would answer when nobody waits any more.
  readonly #collector = new MetricsCollector(
    (collection) => !this.#isClogged && this.#send({ type: 'collect', collection }),
  );

  /** @param workerNumber its place among the workers of the machine */
  constructor(workerNumber: number) {
    this.name = nameOf(workerNumber);
    this.number = workerNumber;
    this.#listen((message) => {
      if (message.type === 'collecting') this.#collector.expect(message.collection, message.workers);
      if (message.type === 'collected') this.#collector.take(message.collection, message.snapshot);
    });
  }

  readonly bus: HintBus = {
    announce: (hint) => {
      // A supervisor that does not read: kept here, hints would only take memory.
      if (!this.#isClogged) this.#send({ type: 'hint', hint });
    },
    listen: (listener, members) =>
      this.#listen((message) => {
        if (message.type === 'acknowledgement') listener.onAcknowledgement(message.acknowledgement);
        if (message.type !== 'hint') return;
        const { hint, from } = message;
        // Applied first, acknowledged then.
        if (!listener.onHint(hint)) return;
        const acknowledgement = { announcement: hint.announcement, members: members() };
        this.#send({ type: 'acknowledgement', acknowledgement, to: from }, () => listener.onAcknowledged(hint));
      }),
  };

  registering(member: MemberId): void {
    this.#send({ type: 'registering', member });
  }

  onReaped(remove: (members: readonly MemberId[]) => void): void {
    this.#listen((message) => {
      if (message.type === 'reaped') remove(message.members);
    });
  }

  collectMetrics(): Promise<readonly MetricsSnapshot[]> {
    return this.#collector.collect();
  }

  onCollectMetrics(measure: () => Promise<MetricsSnapshot>): void {
    this.#listen((message) => {
      if (message.type !== 'collect') return;
      const { collection, from } = message;
      void measure().then((snapshot) => this.#send({ type: 'collected', collection, snapshot, to: from }));
    });
  }

  /** Says what to do when the supervisor asks to stop. */
  onStop(stop: (isQuick: boolean) => void): void {
    this.#listen((message) => {
      if (message.type === 'stop') stop(message.isQuick);
    });
  }

  /** Tells the supervisor that requests are answered. */
  ready(service: ServiceAddress): void {
    this.#send({ type: 'ready', service });
  }

  /** Tells the supervisor that trying again would not help; resolves when it has been told. */
  refused(reason: string): Promise<void> {
    return new Promise((resolve) => process.send?.({ type: 'refused', reason } satisfies FromWorker, () => resolve()));
  }

  #listen(take: (message: ToWorker) => void): void {
    process.on('message', (message: ToWorker) => take(message));
  }

  /** Returns whether there was somebody to tell. */
  #send(message: FromWorker, onSent: () => void = () => {}): boolean {
    // A supervisor that is gone takes this process with it; until then there is nobody to tell.
    if (cluster.worker?.isConnected() !== true) return false;
    const isSent = process.send?.(message, (error: Error | null) => {
      this.#isClogged = false;
      if (error === null) onSent();
    });
    this.#isClogged = isSent === false;
    return true;
  }
}
