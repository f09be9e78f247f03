/**
 * Use case: a person signs in.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import type { IssueAccessTokenParts } from '../access-tokens/issue-access-token.ts';
import { emailKey } from '../accounts/rules.ts';
import type { AccountStore, AccountWithPassword } from '../accounts/store.ts';
import { type CheckPasswordParts, isPasswordRight } from '../passwords/check-password.ts';
import { needsUpgrade } from '../passwords/hash-format.ts';
import { preparePassword } from '../passwords/rules.ts';
import type { Barrier } from '../revocation/barrier.ts';
import { randomToken, tokenHash } from '../secrets/random-token.ts';
import type { Secret } from '../secrets/secret.ts';
import { activeTenant } from '../tenants/find-tenant.ts';
import type { TenantStore } from '../tenants/store.ts';
import { refreshTokenPrefix, type SessionTokens, sessionTokens } from './session-answer.ts';
import type { SessionStore } from './store.ts';

/** What this use case works with. */
export interface LogInParts extends CheckPasswordParts, IssueAccessTokenParts {
  readonly tenants: TenantStore;
  readonly accounts: AccountStore;
  readonly sessions: SessionStore;
  readonly barrier: Barrier;
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
 * Checks the password, opens a session and mints its tokens.
 * @throws {CatalyticError} `credentials_invalid` for an unknown account and a wrong password alike, `account_disabled` only to who knows
 *   the password, `tenant_*`, `hashing_busy`
 */
export const logIn = async (parts: LogInParts, login: Login): Promise<SessionTokens> => {
  const tenant = await activeTenant(parts.tenants, login.tenant);
  const found = await parts.accounts.findForLogin(tenant.id, emailKey(login.email));
  const password = preparePassword(login.password);
  const isRight = await isPasswordRight(parts, found, password);
  if (found === undefined || !isRight) throw new CatalyticError('credentials_invalid');
  const passwordHash = await upgradeHash(parts, found, password);
  const refreshToken = randomToken(refreshTokenPrefix);
  const nowMs = parts.nowMs();
  const grant = await parts.sessions.open({
    tenantId: tenant.id,
    accountId: found.account.id,
    passwordHash,
    amr: ['pwd'],
    nowMs,
    refreshToken: { hash: tokenHash(refreshToken), expiresAtMs: nowMs + parts.refreshTokenSeconds * 1000 },
    sessionsMax: parts.maxSessionsPerAccount,
  });
  if (grant === 'password_changed') throw new CatalyticError('credentials_invalid');
  if (typeof grant === 'string') throw new CatalyticError(grant);
  // Hinted, not waited for: the answer promises nothing about the sessions that this one displaces, and their journal entries, committed
  // with it, reach every process by themselves.
  if (grant.displaced !== undefined) void parts.barrier.settle(grant.displaced);
  return sessionTokens(parts, grant, refreshToken, nowMs);
};

/** Replaces a hash made with old parameters, now that the password is known. Returns the hash that is stored afterwards. */
const upgradeHash = async (
  parts: LogInParts,
  { account, passwordHash }: AccountWithPassword,
  password: Secret<string>,
): Promise<string> => {
  if (!needsUpgrade(passwordHash)) return passwordHash;
  const upgraded = await parts.hasher.hash(password);
  const isReplaced = await parts.accounts.upgradePasswordHash(account.tenantId, account.id, passwordHash, upgraded);
  // Not replaced: the password was changed meanwhile, and opening the session will find that out.
  return isReplaced ? upgraded : passwordHash;
};
