/**
 * Messages between the supervisor and its workers, over the pipe between them.
 * @module
 */
import type { MemberId } from '@catalytic/protocol/ids';
import type { Acknowledgement, Hint } from '../features/revocation/hint-bus.ts';
import type { StopManner } from '../http/stop-manner.ts';
import type { MetricsSnapshot } from '../telemetry/metrics.ts';

/** From a worker. */
export type FromWorker =
  /** The worker serves. */
  | { readonly type: 'ready'; readonly service: ServiceAddress }
  /** The worker cannot start, and a new attempt would fail too. */
  | { readonly type: 'refused'; readonly reason: string; readonly exitCode: number }
  /**
   * The worker is about to register under this id: once its process is gone, the row must be
   * removed.
   */
  | { readonly type: 'registering'; readonly member: MemberId }
  | { readonly type: 'hint'; readonly hint: Hint }
  /** @property to the worker that announced the hint */
  | { readonly type: 'acknowledgement'; readonly acknowledgement: Acknowledgement; readonly to: number }
  /**
   * The worker asks every other one for its metrics.
   * @property collection its number for this request
   */
  | { readonly type: 'collect'; readonly collection: number }
  | {
      readonly type: 'collected';
      readonly collection: number;
      readonly snapshot: MetricsSnapshot;
      readonly to: number;
    };

/** To a worker. */
export type ToWorker =
  | { readonly type: 'hint'; readonly hint: Hint; readonly from: number }
  | { readonly type: 'acknowledgement'; readonly acknowledgement: Acknowledgement }
  | { readonly type: 'collect'; readonly collection: number; readonly from: number }
  /** The request of this worker went to that number of workers. */
  | { readonly type: 'collecting'; readonly collection: number; readonly workers: number }
  | { readonly type: 'collected'; readonly collection: number; readonly snapshot: MetricsSnapshot }
  /** The processes of these members are gone. */
  | { readonly type: 'reaped'; readonly members: readonly MemberId[] }
  | { readonly type: 'stop'; readonly manner: StopManner };

/** The addresses of a service. */
export interface ServiceAddress {
  readonly url: string;
  /** Where `/metrics` and `/admin` answer; equal to `url` where both share a listener. */
  readonly operateUrl: string;
  /** Path of the key for the load lab; absent unless the start was asked for one. */
  readonly labKeyPath?: string | undefined;
}
