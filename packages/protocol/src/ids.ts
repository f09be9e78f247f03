/**
 * Branded identifiers: a session id cannot be passed where an account id is meant. All are UUIDv7
 * strings (RFC 9562): time-ordered, so that index pages fill in order. They are names, not secrets
 * (OWASP ASVS 11.5.1).
 * @module
 */

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** `tid`: an isolated customer. */
export type TenantId = Branded<'TenantId'>;
/** `sub`: a person's login in a tenant. */
export type AccountId = Branded<'AccountId'>;
/** `sid`: one sign-in on one device. */
export type SessionId = Branded<'SessionId'>;
/** `jti`: one access token. */
export type TokenId = Branded<'TokenId'>;
/** `kid`: one signing key (RFC 7638 thumbprint of its public part). */
export type KeyId = Branded<'KeyId'>;
/** One row of the journal. */
export type JournalId = Branded<'JournalId'>;
/** One registration of a process that accepts tokens. */
export type MemberId = Branded<'MemberId'>;
