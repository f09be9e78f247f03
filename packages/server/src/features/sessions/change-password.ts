/**
 * Use case: a person changes their password.
 * @module
 */
import type { SignedToken } from '@catalytic/guard/signature-checks';
import { CatalyticError } from '@catalytic/protocol/errors';
import type { IssueAccessTokenParts } from '../access-tokens/issue-access-token.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { AuditSink, Origin } from '../audit/store.ts';
import { checkPassword, type PasswordCheckParts } from '../passwords/check-password.ts';
import { admitPassword, passwordForms, preparePassword } from '../passwords/rules.ts';
import type { Barrier, Propagation } from '../revocation/barrier.ts';
import { orUnknown } from '../revocation/or-unknown.ts';
import { randomToken, tokenHash } from '../secrets/random-token.ts';
import { refreshTokenPrefix, type SessionTokens, sessionTokens } from './session-answer.ts';
import type { SessionStore } from './store.ts';

/** What this use case works with. */
export interface ChangePasswordParts extends IssueAccessTokenParts, PasswordCheckParts {
  readonly accounts: AccountStore;
  readonly sessions: SessionStore;
  readonly barrier: Barrier;
  readonly auditSink: AuditSink;
  readonly refreshTokenSeconds: number;
  readonly nowMs: () => number;
}

/** A password change as the client sends it. */
export interface PasswordChangeRequest {
  readonly current_password: string;
  readonly new_password: string;
}

/**
 * A login may upgrade the stored hash while the current password is being checked here. Then the
 * password is checked once more. A second upgrade cannot happen.
 */
const triesMax = 2;

/**
 * Changes the password if the current one is right, ends every session of the account, and opens a
 * new one for the client (docs/decisions/0014-password-change.md).
 * @throws {CatalyticError} `password_wrong`, which ends nothing; `password_too_short`,
 *   `password_too_long`, `password_blocked`, `password_unchanged`, `hashing_busy`; `token_revoked`
 *   when the asking session has ended in the meantime, for example by a faster change;
 *   `account_disabled`, `tenant_suspended`, `revocation_unknown`
 */
export const changePassword = async (
  parts: ChangePasswordParts,
  { claims }: SignedToken,
  request: PasswordChangeRequest,
  by: Origin,
): Promise<{ readonly tokens: SessionTokens; readonly propagation: Propagation }> => {
  const { tid: tenantId, sub: accountId, sid: sessionId } = claims;
  const refuse = (reason: 'hash_unreadable' | 'password_wrong'): CatalyticError => {
    const whose = { tenantId, accountId, sessionId };
    parts.auditSink.add({ event: 'authn_password_change_fail', reason, ...whose, atMs: parts.nowMs(), by });
    return new CatalyticError('password_wrong');
  };
  const [current, next] = [passwordForms(request.current_password), preparePassword(request.new_password)];
  for (let attempt = 1; attempt <= triesMax; attempt++) {
    const found = await parts.accounts.findWithPassword(tenantId, accountId);
    if (found === undefined) throw new CatalyticError('token_revoked');
    // Judged before the costly check and from the request alone, so that the answer says nothing
    // about the stored password.
    admitPassword(next, found.account.email);
    if (next.reveal() === current[0].reveal()) throw new CatalyticError('password_unchanged');
    const checked = await checkPassword(parts, found, current);
    if (checked === 'hash_unreadable') throw refuse(checked);
    if (typeof checked === 'string') throw refuse('password_wrong');
    const to = await parts.hasher.hash(next);
    const refreshToken = randomToken(refreshTokenPrefix);
    // Read before the statement, because it becomes `iat`.
    const nowMs = parts.nowMs();
    const changed = await orUnknown(
      parts.sessions.changePassword({
        tenantId,
        accountId,
        sessionId,
        from: found.passwordHash,
        to,
        amr: ['pwd'],
        nowMs,
        refreshToken: { hash: tokenHash(refreshToken), expiresAtMs: nowMs + parts.refreshTokenSeconds * 1000 },
        by,
      }),
    );
    if (typeof changed === 'object')
      return {
        tokens: sessionTokens(parts, changed.grant, refreshToken, nowMs),
        propagation: await parts.barrier.settle(changed.recorded),
      };
    if (changed === 'session_ended') throw new CatalyticError('token_revoked');
    if (changed !== 'password_changed') throw new CatalyticError(changed);
  }
  throw refuse('password_wrong');
};
