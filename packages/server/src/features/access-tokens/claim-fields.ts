/**
 * The claims of access tokens that answers show, as fields of their schemas.
 * @module
 */
import { type OptionalSchema, type Schema, Type } from '../schema.ts';

const text = (description: string, example: string) => Type.String({ description, examples: [example] });
const seconds = (description: string, example: number) => Type.Integer({ description, examples: [example] });

// No interface: that could be extended, so it has no index signature.
type ClaimFields = {
  readonly iss: Schema<string>;
  readonly sub: Schema<string>;
  readonly aud: Schema<string>;
  readonly iat: Schema<number>;
  readonly nbf: OptionalSchema<number>;
  readonly exp: Schema<number>;
  readonly jti: Schema<string>;
  readonly sid: Schema<string>;
  readonly tid: Schema<string>;
  readonly client_id: Schema<string>;
  readonly scope: Schema<string>;
  readonly roles: Schema<string[]>;
  readonly amr: Schema<string[]>;
  readonly auth_time: Schema<number>;
};

/** The fields (RFC 9068 section 2.2), without the epochs, which concern the service alone. */
export const claimFields: ClaimFields = {
  iss: text('The issuer.', 'https://id.example.com'),
  sub: text('The account.', '01a2119f-28ab-7cd0-9da2-d1309a4329b7'),
  aud: text('The audience: the service that the token is for.', 'https://id.example.com'),
  iat: seconds('When it was issued, seconds since 1970.', 1_767_225_600),
  nbf: Type.Optional(seconds('When it begins to be valid: a minute before `iat`.', 1_767_225_540)),
  exp: seconds('When it expires, seconds since 1970.', 1_767_226_500),
  jti: text('The token.', 'f65d534b-5b1d-47ea-aed0-010bc74e5eb2'),
  sid: text('The session.', '01a2119f-28d4-7e12-9bca-90460dcb48da'),
  tid: text('The tenant.', '01a2119f-24ed-72ac-911e-1ef07c744860'),
  client_id: text('The client that signed in.', 'catalytic'),
  scope: Type.String({ description: 'Scopes, separated by spaces.', examples: [''] }),
  roles: Type.Array(Type.String(), { description: 'Roles of the account.', examples: [[]] }),
  amr: Type.Array(Type.String(), { description: 'How the account was authenticated (RFC 8176).', examples: [['pwd']] }),
  auth_time: seconds('When the password was last checked.', 1_767_225_600),
};
