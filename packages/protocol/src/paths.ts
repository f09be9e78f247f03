/**
 * Every URL path of the service, once: the server mounts them, the lab and the guard call them.
 * `:id` stands for one segment.
 * @module
 */

/** The paths, in the order in which a newcomer needs them: the API's description keeps it. */
export const paths = {
  register: '/auth/register',
  login: '/auth/login',
  refresh: '/auth/refresh',
  token: '/oauth/token',
  logout: '/auth/logout',
  logoutAll: '/auth/logout-all',
  revoke: '/oauth/revoke',
  sessions: '/auth/sessions',
  session: '/auth/sessions/:id',
  me: '/auth/me',
  password: '/auth/password',
  verify: '/auth/verify',
  introspect: '/oauth/introspect',
  gateway: '/auth/gateway',
  protectedSample: '/api/protected',
  jwks: '/.well-known/jwks.json',
  authorizationServer: '/.well-known/oauth-authorization-server',
  revocations: '/revocations',
  guards: '/revocations/guards',
  guard: '/revocations/guards/:id',
  tenants: '/admin/tenants',
  tenantSuspend: '/admin/tenants/:id/suspend',
  tenantResume: '/admin/tenants/:id/resume',
  tenantRegistration: '/admin/tenants/:id/registration',
  invitations: '/admin/invitations',
  accounts: '/admin/accounts',
  accountSessions: '/admin/accounts/:id/sessions',
  accountSignOut: '/admin/accounts/:id/sign-out',
  accountDisable: '/admin/accounts/:id/disable',
  accountEnable: '/admin/accounts/:id/enable',
  accountEmail: '/admin/accounts/:id/email',
  accountRoles: '/admin/accounts/:id/roles',
  accountPassword: '/admin/accounts/:id/password',
  accountDelete: '/admin/accounts/:id/delete',
  accountsImport: '/admin/accounts/import',
  adminKeys: '/admin/admin-keys',
  adminKey: '/admin/admin-keys/:id',
  guardKeys: '/admin/guard-keys',
  guardKey: '/admin/guard-keys/:id',
  signingKeyKill: '/admin/signing-keys/:kid/kill',
  audit: '/admin/audit',
  home: '/',
  live: '/health/live',
  ready: '/health/ready',
  metrics: '/metrics',
  openapi: '/openapi.json',
  docs: '/docs',
} as const;

/** One of the service's paths. */
export type Path = (typeof paths)[keyof typeof paths];
