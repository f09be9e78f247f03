/**
 * The routes, served: one HTTP pipeline for each listener, with what each step of it needs.
 * @module
 */
import { inRanges, originsOf, trustedPeers } from '../config/addresses.ts';
import { certificateFiles } from '../config/certificate.ts';
import type { Route } from '../features/route.ts';
import { type FollowedCertificate, followCertificate } from '../follow-certificate.ts';
import type { AuthenticateParts } from '../http/authenticate.ts';
import { describedRoutes } from '../http/openapi/described-routes.ts';
import { createHttpServer, type HttpParts } from '../http/server.ts';
import { Listeners } from '../listen.ts';
import { AnswerCounts } from '../telemetry/answer-counts.ts';
import type { Closers } from './closers.ts';
import type { Parts } from './open-parts.ts';
import type { Start } from './start.ts';

/** Listeners that do not listen yet. */
export interface OpenedListeners {
  readonly listeners: Listeners;
  /** The certificate of the public one; `undefined` without TLS. */
  readonly certificate: FollowedCertificate | undefined;
}

const authenticationOf = ({ config }: Pick<Start, 'config'>, parts: Parts): AuthenticateParts => ({
  signatureChecks: parts.signatureChecks,
  keys: parts.keys,
  view: parts.view,
  currency: parts.reader,
  expectation: { issuer: config.issuer, audience: config.audience },
  adminKeys: parts.stores.adminKeys,
  guardKeys: parts.guardKeys,
  auditSink: parts.auditSink,
  nowMs: parts.nowMs,
});

/** Opens the listeners. @throws {ConfigError} when the files of the certificate do not fit */
export const openListeners = (
  start: Start,
  parts: Parts,
  routes: readonly Route[],
  closers: Closers,
): OpenedListeners => {
  const { config, log, link } = start;
  const { metrics, nowMs } = parts;
  const counts = new AnswerCounts();
  const files = certificateFiles(config);
  const certificate = files === undefined ? undefined : followCertificate(files, log, nowMs);
  closers.add(() => certificate?.stop());
  metrics.watchHttp(counts, () => certificate?.current.expiresMs);
  const httpParts: HttpParts = {
    counts,
    log,
    authentication: authenticationOf(start, parts),
    workerName: config.exposeWorker === '1' ? link.name : undefined,
    keepAliveSeconds: config.keepAliveSeconds,
    requestTimeoutMs: config.requestTimeoutMs,
    maxConnections: config.maxConnections,
    // A poll that is held would keep its connection open.
    endWaits: () => parts.polls.leave(),
    callers: { source: config.callerAddressFrom, isProxy: inRanges(config.trustedProxies) },
  };
  const isOpen = certificate !== undefined && config.trustedProxies === undefined;
  const peers = isOpen
    ? undefined
    : { mayConnect: trustedPeers(config.trustedProxies), onRefused: metrics.countRefusedConnection };
  const origins = originsOf(config.corsOrigins);
  const operateParts =
    config.callerAddressFrom === 'proxy-protocol'
      ? { ...httpParts, callers: { ...httpParts.callers, source: 'peer' as const } }
      : httpParts;
  const listeners = new Listeners(
    config,
    // The operate listener speaks plain HTTP: it is for this machine or a private network, where
    // scrapers and probes know no certificate and no PROXY protocol.
    (name, own) =>
      createHttpServer(
        name === 'public' ? { ...httpParts, peers, keyPair: certificate, origins } : operateParts,
        describedRoutes(own, {
          hasDocs: config.docs !== '0',
          publicUrl: name === 'public' ? config.issuer : undefined,
        }),
      ),
    routes,
  );
  closers.add((manner) => listeners.close(manner));
  closers.add((manner) => {
    // Where other processes go on, balancers are not to leave the machine.
    parts.lifetime.isEnding = manner === 'last';
  });
  return { listeners, certificate };
};
