/**
 * Schemas and refusals that several routes of sessions have.
 * @module
 */
import type { ErrorCode } from '@catalytic/protocol/errors';
import { type Schema, Type } from '../schema.ts';
import { refreshTokenPrefix } from './session-answer.ts';

/** A refresh token, for the description. */
export const refreshTokenExample = `${refreshTokenPrefix}H-tMrd4pHaRYGeEjEUvDxrJHfRVIwJpNfZHgQJ4B7Zs`;

/** The field in which a refresh token is sent. */
export const refreshTokenField: Schema<string> = Type.String({
  minLength: 1,
  maxLength: 256,
  description: 'The newest refresh token of the session.',
  examples: [refreshTokenExample],
});

/** Codes that refuse a refresh. */
export const refreshRefusals = [
  'refresh_invalid',
  'refresh_expired',
  'refresh_superseded',
  'refresh_reused',
  'session_ended',
  'tenant_suspended',
  'account_disabled',
  'signing_key_unavailable',
  'roles_too_large',
  'store_unavailable',
] as const satisfies readonly ErrorCode[];

// No interface: that could be extended, so it has no index signature.
type SessionTokensFields = {
  readonly access_token: Schema<string>;
  readonly refresh_token: Schema<string>;
  readonly token_type: Schema<'Bearer'>;
  readonly expires_in: Schema<number>;
  readonly session_id: Schema<string>;
};

/** The pair of tokens, with what a client needs to know of it. */
export const sessionTokens: SessionTokensFields = {
  access_token: Type.String({
    description: 'JWT (RFC 9068) for the header `Authorization: Bearer …`.',
    examples: ['eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6…'],
  }),
  refresh_token: Type.String({
    description: 'For one use, at the next refresh.',
    examples: [refreshTokenExample],
  }),
  token_type: Type.Literal('Bearer', { description: 'How the access token is sent (RFC 6750).' }),
  expires_in: Type.Integer({ description: 'Seconds until the access token expires.', examples: [900] }),
  session_id: Type.String({
    description: 'The session: claim `sid` of its tokens.',
    examples: ['01a2119f-28d4-7e12-9bca-90460dcb48da'],
  }),
};

/** The answer that holds the pair of tokens. */
export const SessionTokensAnswer: Schema = Type.Object(sessionTokens, {
  title: 'SessionTokens',
  description: 'The tokens of the session.',
});
