/**
 * The worker's end of the pipe to its supervisor.
 * @module
 */
import cluster from 'node:cluster';
import { hostname } from 'node:os';
import type { MemberId } from '@catalytic/protocol/ids';
import type { HintBus } from '../features/revocation/hint-bus.ts';
import type { StopManner } from '../http/stop-manner.ts';
import type { MetricsSnapshot } from '../telemetry/metrics.ts';
import type { FromWorker, ServiceAddress, ToWorker } from './messages.ts';
import { MetricsCollector } from './metrics-collector.ts';

/** The link of a process that serves to the other processes of its machine. */
export interface WorkerLink {
  /** `machine/worker number/process id`. */
  readonly name: string;
  /** Its number among the processes that serve on this machine, from 1. */
  readonly number: number;
  readonly bus: HintBus;
  /** Tells the supervisor, which reaps this process, the id under which it registers. */
  registering(member: MemberId): void;
  /** Sets the action for members whose processes have been reaped. */
  onReaped(remove: (members: readonly MemberId[]) => void): void;
  /** The metrics of the other processes that answer within half a second. */
  collectMetrics(): Promise<readonly MetricsSnapshot[]>;
  /** Sets the answer to another process that asks for metrics. */
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
  // A supervisor that does not read would answer too late.
  readonly #collector = new MetricsCollector(
    (collection) => !this.#isClogged && this.#send({ type: 'collect', collection }),
  );

  /** @param workerNumber its number among the workers of the machine */
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
      // Queued for a supervisor that does not read, hints would only take memory.
      if (!this.#isClogged) this.#send({ type: 'hint', hint });
    },
    listen: (listener, members) =>
      this.#listen((message) => {
        if (message.type === 'acknowledgement') listener.onAcknowledgement(message.acknowledgement);
        if (message.type !== 'hint') return;
        const { hint, from } = message;
        const acknowledgeFor = (ids: readonly MemberId[], onSent?: () => void): void => {
          const acknowledgement = { announcement: hint.announcement, members: ids };
          this.#send({ type: 'acknowledgement', acknowledgement, to: from }, onSent);
        };
        // Applied first, acknowledged then.
        if (listener.onHint(hint, (ids) => acknowledgeFor(ids)))
          acknowledgeFor(members(), () => listener.onAcknowledged(hint));
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

  /** Sets the action for a stop that the supervisor asks for. */
  onStop(stop: (manner: StopManner) => void): void {
    this.#listen((message) => {
      if (message.type === 'stop') stop(message.manner);
    });
  }

  /** Tells the supervisor that this worker serves. */
  ready(service: ServiceAddress): void {
    this.#send({ type: 'ready', service });
  }

  /**
   * Tells the supervisor why this worker cannot start; resolves when the message is sent.
   * @param exitCode of the service, if none of its workers has served yet
   */
  refused(reason: string, exitCode: number): Promise<void> {
    const message: FromWorker = { type: 'refused', reason, exitCode };
    return new Promise((resolve) => process.send?.(message, () => resolve()));
  }

  #listen(take: (message: ToWorker) => void): void {
    process.on('message', (message: ToWorker) => take(message));
  }

  /** Returns whether a supervisor is connected. */
  #send(message: FromWorker, onSent: () => void = () => {}): boolean {
    // The end of the supervisor ends this process too; until then there is no receiver.
    if (cluster.worker?.isConnected() !== true) return false;
    const isSent = process.send?.(message, (error: Error | null) => {
      this.#isClogged = false;
      if (error === null) onSent();
    });
    this.#isClogged = isSent === false;
    return true;
  }
}
