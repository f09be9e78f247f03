/**
 * Every URL path of the service, once: the server mounts them, the lab and the guard call them.
 * @module
 */

/** The paths, by what they are for. */
export const paths = {
  register: '/auth/register',
  login: '/auth/login',
  refresh: '/auth/refresh',
  logout: '/auth/logout',
  logoutAll: '/auth/logout-all',
  verify: '/auth/verify',
  me: '/auth/me',
  protectedSample: '/api/protected',
  jwks: '/.well-known/jwks.json',
  authorizationServer: '/.well-known/oauth-authorization-server',
  accountsImport: '/admin/accounts/import',
  live: '/health/live',
  ready: '/health/ready',
  metrics: '/metrics',
} as const;

/** One of the service's paths. */
export type Path = (typeof paths)[keyof typeof paths];
