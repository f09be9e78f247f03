/**
 * The composition: opens the parts of a service, mounts the features on them and serves.
 * @module
 */
import { Closers } from './app/closers.ts';
import { mountFeatures } from './app/mount-features.ts';
import { openListeners } from './app/open-listeners.ts';
import { openParts, type Parts } from './app/open-parts.ts';
import type { Start } from './app/start.ts';
import type { ServiceAddress } from './cluster/messages.ts';
import { systemOrigin } from './features/audit/origins.ts';
import type { StopManner } from './http/stop-manner.ts';

/** A service that answers requests. */
export interface RunningService extends ServiceAddress {
  /** Looks at the files of the certificate now, where there are any. */
  lookAtCertificate(): void;
  /** Finishes what is in flight, and closes the stores. */
  stop(manner: StopManner): Promise<void>;
}

/** Enters the start into the audit trail, and later the stop. */
const recordRun = ({ auditSink, nowMs }: Parts, name: string, closers: Closers): void => {
  const bySystem = { by: systemOrigin, subject: name };
  auditSink.add({ event: 'sys_startup', reason: 'ready', atMs: nowMs(), ...bySystem });
  closers.add(() => auditSink.add({ event: 'sys_shutdown', reason: 'stopped', atMs: nowMs(), ...bySystem }));
};

/**
 * Starts the service: everything it needs is ready, and every revocation in the journal is in the
 * view, before the first request is accepted.
 * @throws {ConfigError} when the data folder is in use, its keys do not open or the port is taken
 */
export const startService = async (start: Start): Promise<RunningService> => {
  const closers = new Closers();
  try {
    const parts = await openParts(start, closers);
    const { listeners, certificate } = openListeners(start, parts, mountFeatures(start, parts), closers);
    const address = await listeners.listen();
    recordRun(parts, start.link.name, closers);
    return {
      ...address,
      labKeyPath: parts.labKeyPath,
      stop: (manner) => closers.close(manner),
      lookAtCertificate: () => certificate?.look(),
    };
  } catch (error) {
    await closers.close('quick');
    throw error;
  }
};
