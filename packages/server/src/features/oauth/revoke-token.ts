/**
 * Use case: a client revokes a token (RFC 7009). It ends the session of the token, with the promise
 * of a sign-out.
 * @module
 */
import type { SignedToken } from '@catalytic/guard/signature-checks';
import { CatalyticError } from '@catalytic/protocol/errors';
import { currencyWaitMs, findGenuine, type PatientCheckParts } from '../access-tokens/check-access-token.ts';
import { adminKeyPrefix } from '../admin-keys/create-admin-key.ts';
import type { Origin } from '../audit/store.ts';
import { guardKeyPrefix } from '../guard-keys/create-guard-key.ts';
import type { Propagation } from '../revocation/barrier.ts';
import { tokenHash } from '../secrets/random-token.ts';
import { endByAccessToken, endByRefreshToken, type LogOutParts } from '../sessions/log-out.ts';
import { refreshTokenPrefix } from '../sessions/session-answer.ts';
import type { Client } from './check-client.ts';

/** What this use case works with. */
export interface RevokeTokenParts extends PatientCheckParts, LogOutParts {}

/** No process accepts what is no token, so nothing is left to do (RFC 7009 section 2.2). */
const nothingToRevoke: Propagation = { propagation: 'complete' };

/**
 * The genuine access token, of any age. A process that is not current may lack its key: that such a
 * token is none would be a promise that it cannot make.
 */
const genuineIn = async (parts: RevokeTokenParts, token: string): Promise<SignedToken | undefined> => {
  let found = findGenuine(parts, token, 'of any age');
  if (found === 'token_key_unknown' && !parts.currency.isCurrent()) {
    if (!(await parts.currency.untilCurrent(currencyWaitMs)))
      throw new CatalyticError('revocation_state_unavailable', { retryAfterSeconds: 1 });
    found = findGenuine(parts, token, 'of any age');
  }
  return typeof found === 'string' ? undefined : found;
};

/**
 * Ends the session of a token. Without a client the token itself is the proof, as in a sign-out. A
 * token of a killed signing key ends nothing: the kill has made the same promise for it.
 * @param client the one that has authenticated; `undefined`: none has
 * @returns `complete` also for what is no token of this service
 * @throws {CatalyticError} `client_unauthorized` for a guard key, which may only read, and for a
 *   token of a tenant that the client does not see; `revocation_unsupported` for a key of this
 *   service; `revocation_unknown`, `revocation_state_unavailable`, `store_unavailable`
 */
export const revokeToken = async (
  parts: RevokeTokenParts,
  client: Client | undefined,
  token: string,
  by: Origin,
): Promise<Propagation> => {
  if (client?.kind === 'guard key') throw new CatalyticError('client_unauthorized');
  if (token.startsWith(guardKeyPrefix) || token.startsWith(adminKeyPrefix))
    throw new CatalyticError('revocation_unsupported', { detail: 'Cannot revoke: a key is revoked by its id' });
  const seen = client?.tenantId ?? undefined;
  const origin: Origin = client === undefined ? by : { ...by, actor: `key:${client.id}` };
  if (token.startsWith(refreshTokenPrefix)) {
    if (seen !== undefined) {
      // A token never changes its tenant, so what is read here stays true.
      const known = await parts.sessions.findToken({ presentedHash: tokenHash(token), nowMs: parts.nowMs() });
      if (known !== undefined && known.grant.tenantId !== seen) throw new CatalyticError('client_unauthorized');
    }
    const ended = await endByRefreshToken(parts, token, origin);
    return ended === 'refresh_invalid' ? nothingToRevoke : ended;
  }
  const genuine = await genuineIn(parts, token);
  if (genuine === undefined) return nothingToRevoke;
  if (seen !== undefined && genuine.claims.tid !== seen) throw new CatalyticError('client_unauthorized');
  return endByAccessToken(parts, genuine, origin);
};
