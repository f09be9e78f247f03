/**
 * Use case: a person signs in.
 * @module
 */
import { CatalyticError, type ErrorCode } from '@catalytic/protocol/errors';
import { fitsAccessToken, type IssueAccessTokenParts } from '../access-tokens/issue-access-token.ts';
import { findByEmail } from '../accounts/find-by-email.ts';
import { areRolesTooLarge } from '../accounts/roles.ts';
import { emailKeys } from '../accounts/rules.ts';
import type { AccountStore, AccountWithPassword } from '../accounts/store.ts';
import type { AuditAct, AuditSink, Origin } from '../audit/store.ts';
import { checkPassword, type PasswordCheckParts } from '../passwords/check-password.ts';
import { dependsOnWhole, needsUpgrade } from '../passwords/hash-format.ts';
import type { CheckedAccount, LoginCache } from '../passwords/login-cache.ts';
import { type PasswordForms, passwordForms } from '../passwords/rules.ts';
import type { Barrier } from '../revocation/barrier.ts';
import { randomToken, tokenHash } from '../secrets/random-token.ts';
import type { Secret } from '../secrets/secret.ts';
import { defaultTenantName, type Tenant, type TenantStore } from '../tenants/store.ts';
import { refreshTokenPrefix, type SessionTokens, sessionTokens } from './session-answer.ts';
import type { OpeningRefusal, SessionStore } from './store.ts';

/** What this use case works with. */
export interface LogInParts extends IssueAccessTokenParts, PasswordCheckParts {
  readonly loginCache: LoginCache;
  readonly tenants: TenantStore;
  readonly accounts: AccountStore;
  readonly sessions: SessionStore;
  readonly barrier: Barrier;
  readonly auditSink: AuditSink;
  readonly refreshTokenSeconds: number;
  /** Most live sessions of an account. */
  readonly maxSessionsPerAccount: number;
  readonly nowMs: () => number;
}

/** A login as the client sends it. */
export interface Login {
  readonly email: string;
  readonly password: string;
  readonly tenant?: string;
}

/**
 * A simultaneous sign-in may upgrade the stored hash while the password is being checked here. Then
 * the password is checked once more, against the new hash. A second upgrade cannot happen.
 */
const triesMax = 2;

/**
 * Checks the password, opens a session and issues its tokens.
 * @throws {CatalyticError} `credentials_invalid` for an unknown tenant, an unknown account and a wrong
 *   password alike; `account_disabled`, `tenant_suspended` and `roles_too_large` only after the right
 *   password; `hashing_busy`
 */
export const logIn = async (parts: LogInParts, login: Login, by: Origin): Promise<SessionTokens> => {
  const { loginCache, hasher } = parts;
  const tenantName = login.tenant ?? defaultTenantName;
  // Two accounts may have one mailbox, from versions before: the spelling tells them apart.
  const [key] = emailKeys(login.email);
  const forms = passwordForms(login.password);
  const remembered = loginCache.recall(tenantName, key, forms);
  if (remembered !== undefined) {
    const opened = await openSession(parts, remembered, by);
    if (typeof opened !== 'string') return opened;
    // Hash, email, account or tenant have changed. The login is judged, and hashed, as if nothing were
    // remembered.
    loginCache.forget(tenantName, key);
  }
  hasher.admit();
  const tenant = await parts.tenants.findByName(tenantName);
  for (let attempt = 1; ; attempt++) {
    const found = tenant && (await findByEmail(parts.accounts, tenant.id, login.email));
    const checked = await checkPassword(parts, found, forms);
    // An unknown tenant is refused like an unknown account, and after the same time. It has no trail.
    if (tenant === undefined) throw new CatalyticError('credentials_invalid');
    const refuse = refusal(parts, tenant, by);
    if (found === undefined) throw refuse('account_unknown');
    if (typeof checked === 'string') throw refuse(checked, found);
    if (tenant.status !== 'active') throw refuse('tenant_suspended', found);
    // Only roles that an earlier version has stored can be too large.
    const { roles } = found.account;
    if (areRolesTooLarge(roles) && !fitsAccessToken(parts, roles, parts.nowMs()))
      throw refuse('roles_too_large', found);
    const { passwordHash, form } = await upgradeHash(parts, found, forms, checked, by);
    const { id: accountId, email } = found.account;
    const account: CheckedAccount = { tenantId: tenant.id, accountId, email, passwordHash };
    const opened = await openSession(parts, account, by);
    if (typeof opened !== 'string') {
      loginCache.remember(tenantName, key, form, account);
      return opened;
    }
    if (opened !== 'password_changed' || attempt === triesMax) throw refuse(opened, found);
  }
};

/**
 * Opens a session, if hash, email, account and tenant are unchanged since the check, and issues its
 * tokens.
 */
const openSession = async (
  parts: LogInParts,
  { tenantId, accountId, email, passwordHash }: CheckedAccount,
  by: Origin,
): Promise<SessionTokens | OpeningRefusal> => {
  const refreshToken = randomToken(refreshTokenPrefix);
  const nowMs = parts.nowMs();
  const grant = await parts.sessions.open({
    tenantId,
    accountId,
    passwordHash,
    email,
    amr: ['pwd'],
    nowMs,
    refreshToken: { hash: tokenHash(refreshToken), expiresAtMs: nowMs + parts.refreshTokenSeconds * 1000 },
    sessionsMax: parts.maxSessionsPerAccount,
    by,
  });
  if (typeof grant === 'string') return grant;
  // Announced, but not waited for: the answer promises nothing about the displaced sessions. Their
  // journal entries are committed with the new session and reach every process anyway.
  if (grant.displaced !== undefined) void parts.barrier.settle(grant.displaced);
  return sessionTokens(parts, grant, refreshToken, nowMs);
};

/** The codes that clients get. They do not reveal whether an account exists. */
const codes = {
  account_unknown: 'credentials_invalid',
  hash_unreadable: 'credentials_invalid',
  password_wrong: 'credentials_invalid',
  password_changed: 'credentials_invalid',
  roles_too_large: 'roles_too_large',
  account_disabled: 'account_disabled',
  tenant_suspended: 'tenant_suspended',
} as const satisfies Record<Extract<AuditAct, { event: 'authn_login_fail' }>['reason'], ErrorCode>;

/**
 * Makes refusals and adds each to the audit trail, with the account if there is one, never with
 * text from the client.
 */
const refusal =
  ({ auditSink, nowMs }: LogInParts, tenant: Tenant, by: Origin) =>
  (reason: keyof typeof codes, found?: AccountWithPassword): CatalyticError => {
    const accountId = found?.account.id;
    auditSink.add({ event: 'authn_login_fail', reason, atMs: nowMs(), tenantId: tenant.id, accountId, by });
    return new CatalyticError(codes[reason]);
  };

/**
 * Replaces a hash of an old cost or format, now that the password is known. The upgrade never stands
 * in the way of the sign-in: without a free lane it is left to the next one.
 * @param form of which the stored hash was made
 * @returns the hash that is stored afterwards, as far as this sign-in knows, and the form of which it
 *   was made
 */
const upgradeHash = async (
  parts: LogInParts,
  { account, passwordHash }: AccountWithPassword,
  [composed]: PasswordForms,
  form: Secret<string>,
  by: Origin,
): Promise<{ readonly passwordHash: string; readonly form: Secret<string> }> => {
  const unchanged = { passwordHash, form };
  if (!needsUpgrade(passwordHash) || !dependsOnWhole(passwordHash, form.reveal())) return unchanged;
  const upgraded = await unlessBusy(parts.hasher.hash(composed));
  if (upgraded === undefined) return unchanged;
  const { tenantId, id: accountId } = account;
  const upgrade = { tenantId, accountId, from: passwordHash, to: upgraded, nowMs: parts.nowMs(), by };
  const isReplaced = await parts.accounts.upgradePasswordHash(upgrade);
  // Not replaced: the hash has changed in the meantime, and the opening of the session will see that.
  return isReplaced ? { passwordHash: upgraded, form: composed } : unchanged;
};

const unlessBusy = async (hashing: Promise<string>): Promise<string | undefined> => {
  try {
    return await hashing;
  } catch (error) {
    if (error instanceof CatalyticError && error.code === 'hashing_busy') return undefined;
    throw error;
  }
};
