/**
 * What the roles of an account may be.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import { Type } from '../schema.ts';
import { storableTextPattern } from '../storable-text.ts';

/**
 * Most bytes of an account's roles together, as JSON in UTF-8. With an issuer and an audience of
 * 255 ASCII characters each, the access token still stays below `tokenCharactersMax` of the guard.
 */
const rolesBytesMax = 1536;

/** Most roles of an account, and most characters of each. */
const [rolesMax, roleCharactersMax] = [64, 64];

/** Whether the roles take more room in an access token than an account may. */
export const areRolesTooLarge = (roles: readonly string[]): boolean =>
  roles.length > 0 && Buffer.byteLength(JSON.stringify(roles)) > rolesBytesMax;

/** Why such roles are refused, as the end of a sentence. */
export const rolesTooLarge = `take more than ${rolesBytesMax} bytes together, as JSON in UTF-8: they stand in every access token`;

/** Accepts roles that an account is given. @throws {CatalyticError} `body_invalid` */
export const admitRoles = (roles: readonly string[]): void => {
  if (areRolesTooLarge(roles))
    throw new CatalyticError('body_invalid', { fields: [{ field: '/roles', message: rolesTooLarge }] });
};

/** Whether a value is what {@link Roles} describes, or would be if it could be stored. */
export const areRoles = (value: unknown): value is readonly string[] =>
  Array.isArray(value) &&
  value.length <= rolesMax &&
  value.every((role) => typeof role === 'string' && role !== '' && [...role].length <= roleCharactersMax);

/** What an account is given; {@link areRolesTooLarge} limits them together. */
export const Roles = Type.Array(
  Type.String({ minLength: 1, maxLength: roleCharactersMax, pattern: storableTextPattern }),
  {
    maxItems: rolesMax,
    description: `Roles of the account; they stand in its tokens, so they may take ${rolesBytesMax} bytes together, as JSON in UTF-8.`,
    examples: [['editor']],
  },
);
