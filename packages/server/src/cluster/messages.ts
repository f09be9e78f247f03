/**
 * What the supervisor and its workers say to each other, over the pipe between them.
 * @module
 */
import type { MemberId } from '@catalytic/protocol/ids';
import type { Acknowledgement, Hint } from '../features/revocation/hint-bus.ts';
import type { MetricsSnapshot } from '../telemetry/metrics.ts';

/** From a worker. */
export type FromWorker =
  /** It serves. */
  | { readonly type: 'ready'; readonly service: ServiceAddress }
  /** It cannot start, and a new attempt could not either. */
  | { readonly type: 'refused'; readonly reason: string }
  /** It is about to register under this id: when the process is gone, the row is to be removed. */
  | { readonly type: 'registering'; readonly member: MemberId }
  | { readonly type: 'hint'; readonly hint: Hint }
  /** @property to the worker that announced */
  | { readonly type: 'acknowledgement'; readonly acknowledgement: Acknowledgement; readonly to: number }
  /** It asks every other worker for its metrics. @property collection its number for this question */
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
  /** Its question was passed on to so many workers. */
  | { readonly type: 'collecting'; readonly collection: number; readonly workers: number }
  | { readonly type: 'collected'; readonly collection: number; readonly snapshot: MetricsSnapshot }
  /** These members' processes are gone for good. */
  | { readonly type: 'reaped'; readonly members: readonly MemberId[] }
  | { readonly type: 'stop'; readonly isQuick: boolean };

/** Where a service answers. */
export interface ServiceAddress {
  readonly url: string;
  /** Where `/metrics` and `/admin` answer; the same where they share a listener. */
  readonly operateUrl: string;
  /** Path of the key for the load lab; absent where nobody asked for one. */
  readonly labKeyPath?: string | undefined;
}
