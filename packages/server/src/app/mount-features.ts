/**
 * Every feature, joined in one place with what it needs, and with nothing else.
 * @module
 */
import { accessTokenRoutes } from '../features/access-tokens/routes.ts';
import { accountAdminRoutes } from '../features/accounts/admin-routes.ts';
import { accountChangeRoutes } from '../features/accounts/change-routes.ts';
import { accountRoutes } from '../features/accounts/routes.ts';
import { adminKeyRoutes } from '../features/admin-keys/routes.ts';
import { auditRoutes } from '../features/audit/routes.ts';
import { guardKeyRoutes } from '../features/guard-keys/routes.ts';
import { guardRoutes } from '../features/guards/routes.ts';
import { healthRoutes } from '../features/health/routes.ts';
import { metricsRoutes } from '../features/metrics/routes.ts';
import { oauthRoutes } from '../features/oauth/routes.ts';
import type { Route } from '../features/route.ts';
import { sessionAdminRoutes } from '../features/sessions/admin-routes.ts';
import { sessionRoutes } from '../features/sessions/routes.ts';
import { signingKeyAdminRoutes } from '../features/signing-keys/admin-routes.ts';
import { signingKeyRoutes } from '../features/signing-keys/routes.ts';
import { tenantRoutes } from '../features/tenants/routes.ts';
import { metricsContentType, scraper } from '../telemetry/metrics.ts';
import type { Parts } from './open-parts.ts';
import type { Start } from './start.ts';

/** The routes of all features. */
export const mountFeatures = (
  { config, link, log }: Pick<Start, 'config' | 'link' | 'log'>,
  parts: Parts,
): readonly Route[] => {
  const { stores, keys, signatureChecks, hasher, loginCache, auditSink, barrier, reader, nowMs } = parts;
  const { tenants, accounts, sessions, adminKeys, audit } = stores;
  const { issuer, audience, accessTokenSeconds, refreshTokenSeconds, refreshGraceSeconds } = config;
  // What both ways to refresh and to end a session need: ours, and that of OAuth.
  const ofSessions = {
    ...{ sessions, keys, signatureChecks, auditSink, barrier, nowMs },
    ...{ issuer, audience, accessTokenSeconds, refreshTokenSeconds, refreshGraceSeconds },
  };
  return [
    ...accessTokenRoutes,
    ...sessionRoutes({
      ...ofSessions,
      tenants,
      accounts,
      hasher,
      decoyHash: parts.decoyHash,
      onUnreadableHash: parts.onUnreadableHash,
      loginCache,
      maxSessionsPerAccount: config.maxSessionsPerAccount,
    }),
    ...oauthRoutes({
      ...ofSessions,
      adminKeys,
      guardKeys: parts.guardKeys,
      view: parts.view,
      currency: reader,
      expectation: { issuer, audience },
    }),
    ...accountRoutes({ tenants, accounts, hasher, nowMs }),
    ...accountAdminRoutes({ tenants, accounts, hasher, barrier, nowMs }),
    ...accountChangeRoutes({ tenants, accounts, hasher, barrier, nowMs }),
    ...sessionAdminRoutes({ tenants, accounts, sessions, barrier, nowMs }),
    ...tenantRoutes({ tenants, barrier, nowMs }),
    ...adminKeyRoutes({ adminKeys, nowMs }),
    ...guardKeyRoutes({ guardKeys: stores.guardKeys, tenants, nowMs }),
    ...auditRoutes({ audit, tenants, nowMs }),
    ...signingKeyRoutes(keys),
    ...signingKeyAdminRoutes({ signingKeys: stores.signingKeys, barrier, makeSigningKey: parts.makeSigningKey, nowMs }),
    ...guardRoutes({
      polls: parts.polls,
      guards: stores.guards,
      audience,
      leaseMs: config.revocationLeaseMs,
      nowMs,
      onRegistered: (guard) => log.info(guard, 'A guard is registered: revocations wait for it'),
    }),
    ...healthRoutes({
      probeStore: () => stores.probe(),
      currency: reader,
      revocationLeaseMs: config.revocationLeaseMs,
      isBusUp: parts.isBusUp,
      isEnding: () => parts.lifetime.isEnding,
    }),
    ...metricsRoutes({
      scrape: scraper(parts.metrics, () => link.collectMetrics(), config.workers),
      contentType: metricsContentType,
    }),
  ];
};
