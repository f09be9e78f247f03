/**
 * Use case: which client asks? A key of this service is a client of OAuth: its id is the client id,
 * the key itself the secret (RFC 6749 section 2.3.1).
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import type { TenantId } from '@catalytic/protocol/ids';
import { type CheckAdminKeyParts, checkAdminKey } from '../admin-keys/check-admin-key.ts';
import { adminKeyPrefix } from '../admin-keys/create-admin-key.ts';
import { keyId } from '../admin-keys/rules.ts';
import type { AdminScope } from '../admin-keys/store.ts';
import type { Origin } from '../audit/store.ts';
import { type CheckGuardKeyParts, checkGuardKey } from '../guard-keys/check-guard-key.ts';
import { guardKeyPrefix } from '../guard-keys/create-guard-key.ts';
import { tokenHash } from '../secrets/random-token.ts';

/** What this use case works with. */
export interface CheckClientParts extends CheckAdminKeyParts, CheckGuardKeyParts {}

/** A client that has authenticated. */
export interface Client {
  readonly kind: 'guard key' | 'admin key';
  /** Id of the key. */
  readonly id: string;
  /** The only tenant whose tokens it sees; `null`: all. */
  readonly tenantId: TenantId | null;
}

/** Where a client can authenticate: in the header, or in the form. */
export interface PresentedClient {
  /** The header `Authorization`, if one was sent. */
  readonly authorization: string | undefined;
  readonly body: { readonly client_id?: string; readonly client_secret?: string };
}

interface Credentials {
  readonly id: string | undefined;
  readonly secret: string;
}

/** Undoes the form encoding of a name or a secret. @throws {URIError} */
const decoded = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));

/**
 * Reads HTTP Basic (RFC 7617). OAuth encodes both parts as in a form before they are joined.
 * @throws {CatalyticError} `client_invalid`
 */
const basicCredentials = (authorization: string): Credentials => {
  const [, encoded = ''] = /^basic ([A-Za-z\d+/]+={0,2})$/i.exec(authorization) ?? [];
  const [, id, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  if (id === undefined || secret === undefined) throw new CatalyticError('client_invalid');
  try {
    return { id: decoded(id), secret: decoded(secret) };
  } catch (cause) {
    throw new CatalyticError('client_invalid', { cause });
  }
};

/** A field without a value counts as left out (RFC 6749 section 3.2). */
const given = (field: string | undefined): string | undefined => (field === '' ? undefined : field);

/** @throws {CatalyticError} `body_invalid` for a client that authenticates twice; `client_invalid` */
const credentialsOf = ({ authorization, body }: PresentedClient): Credentials | undefined => {
  const [id, secret] = [given(body.client_id), given(body.client_secret)];
  if (authorization === undefined) return secret === undefined ? undefined : { id, secret };
  const credentials = basicCredentials(authorization);
  if (secret !== undefined || (id !== undefined && id !== credentials.id))
    throw new CatalyticError('body_invalid', {
      detail: 'Cannot authenticate the client: the header names one, and so does the body',
    });
  return credentials;
};

/**
 * Finds the client.
 * @param scope what an admin key must be allowed to do
 * @param by origin of the request
 * @returns `undefined` where the client did not authenticate
 * @throws {CatalyticError} `client_invalid`, `guard_key_*`, `admin_key_*`,
 *   `admin_scope_insufficient`, `body_invalid`, `store_unavailable`
 */
export const checkClient = async (
  parts: CheckClientParts,
  presented: PresentedClient,
  scope: AdminScope,
  by: () => Origin,
): Promise<Client | undefined> => {
  const credentials = credentialsOf(presented);
  if (credentials === undefined) return undefined;
  const { id, secret } = credentials;
  if (id !== keyId(tokenHash(secret))) throw new CatalyticError('client_invalid');
  if (secret.startsWith(guardKeyPrefix)) {
    const { tenantId } = await checkGuardKey(parts, secret, by);
    return { kind: 'guard key', id, tenantId };
  }
  if (secret.startsWith(adminKeyPrefix)) {
    const { tenantId } = await checkAdminKey(parts, secret, scope, by());
    return { kind: 'admin key', id, tenantId };
  }
  throw new CatalyticError('client_invalid');
};
