/**
 * A start of the service.
 * @module
 */
import type { WorkerLink } from '../cluster/worker-link.ts';
import type { Config } from '../config/options.ts';
import type { Logger } from '../telemetry/log.ts';

/** A start, as it is asked for. */
export interface Start {
  readonly config: Config;
  readonly log: Logger;
  /** To the other processes of this machine. */
  readonly link: WorkerLink;
  /** Called when the process can no longer serve and should end. */
  readonly onFatal: (error: Error) => void;
  /** Ends the wait for a database that is not up yet; the start then fails with its `AbortError`. */
  readonly signal?: AbortSignal;
}
