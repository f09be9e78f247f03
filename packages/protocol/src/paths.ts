/**
 * Every URL path of the service, once: the server mounts them, the lab and the guard call them. `:id` stands for one segment.
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
  password: '/auth/password',
  sessions: '/auth/sessions',
  session: '/auth/sessions/:id',
  protectedSample: '/api/protected',
  jwks: '/.well-known/jwks.json',
  authorizationServer: '/.well-known/oauth-authorization-server',
  accountsImport: '/admin/accounts/import',
  accounts: '/admin/accounts',
  accountDisable: '/admin/accounts/:id/disable',
  accountEnable: '/admin/accounts/:id/enable',
  accountSessions: '/admin/accounts/:id/sessions',
  accountSignOut: '/admin/accounts/:id/sign-out',
  tenants: '/admin/tenants',
  tenantSuspend: '/admin/tenants/:id/suspend',
  tenantResume: '/admin/tenants/:id/resume',
  audit: '/admin/audit',
  live: '/health/live',
  ready: '/health/ready',
  metrics: '/metrics',
  openapi: '/openapi.json',
  docs: '/docs',
} as const;

/** One of the service's paths. */
export type Path = (typeof paths)[keyof typeof paths];
