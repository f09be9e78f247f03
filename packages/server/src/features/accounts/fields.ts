/**
 * Fields of accounts in the requests of administrators. The rules judge them, not the schemas: their
 * refusals say what to change.
 * @module
 */
import { type OptionalSchema, type Schema, Type } from '../schema.ts';

/** An email address. */
export const Email: Schema<string> = Type.String({
  maxLength: 1024,
  description: 'Unique in its tenant, without regard to case.',
  examples: ['grace@example.com'],
});

/** A password, or a ready hash of one. */
export const givenPassword: {
  readonly password: OptionalSchema<string>;
  readonly password_hash: OptionalSchema<string>;
} = {
  password: Type.Optional(
    Type.String({
      maxLength: 1024,
      format: 'password',
      description: 'The password; the rules are those of a registration. Either this or a hash.',
      examples: ['a compiler in the attic'],
    }),
  ),
  password_hash: Type.Optional(
    Type.String({ maxLength: 512, description: 'A ready hash: argon2id, bcrypt, scrypt or PBKDF2.' }),
  ),
};
