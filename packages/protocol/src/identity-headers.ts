/**
 * Whose request it is, as header fields of an answer that accepts an access token. A gateway copies
 * them into the request that it passes on.
 *
 * Every value is ASCII without control characters. The value of `Catalytic-Roles` and of
 * `Catalytic-Scope` is a list: percent-encoded items (RFC 3986 section 2.1), joined by commas. To
 * read one: `value.split(',').filter(Boolean).map(decodeURIComponent)`.
 * @module
 */
import type { AccessTokenClaims } from './claims.ts';

/** The names, in lower case. */
export const identityHeaderNames = {
  subject: 'catalytic-subject',
  tenant: 'catalytic-tenant',
  session: 'catalytic-session',
  roles: 'catalytic-roles',
  scope: 'catalytic-scope',
  expires: 'catalytic-expires',
} as const;

/** The fields of one identity. */
export type IdentityHeaders = Readonly<Record<(typeof identityHeaderNames)[keyof typeof identityHeaderNames], string>>;

/**
 * Letters, digits and `-_.!~*'()` stay as they are, so an id is sent as it is stored. The given text
 * is returned then: the service keeps the fields of each token, and needs no second copy of its ids.
 */
const encode = (text: string): string => {
  const encoded = encodeURIComponent(text.toWellFormed());
  return encoded === text ? text : encoded;
};

const encodeList = (items: readonly string[]): string => items.map(encode).join(',');

/**
 * The fields for the owner of a token: account, tenant, session, roles, scopes, and the expiry of
 * the token in seconds since 1970. All fields are always there, also with an empty value: a gateway
 * that copies a missing field may leave the client's own in its place.
 */
export const identityHeaders = (claims: AccessTokenClaims): IdentityHeaders => ({
  [identityHeaderNames.subject]: encode(claims.sub),
  [identityHeaderNames.tenant]: encode(claims.tid),
  [identityHeaderNames.session]: encode(claims.sid),
  [identityHeaderNames.roles]: encodeList(claims.roles),
  [identityHeaderNames.scope]: encodeList(claims.scope.split(' ').filter((scope) => scope !== '')),
  [identityHeaderNames.expires]: String(claims.exp),
});

/** The fields of nobody: they take away what a client has set. */
export const emptyIdentityHeaders: IdentityHeaders = Object.fromEntries(
  Object.values(identityHeaderNames).map((name) => [name, '']),
) as IdentityHeaders;
