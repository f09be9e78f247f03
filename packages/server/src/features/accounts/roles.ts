/**
 * What the roles of an account may be.
 * @module
 */
import { Type } from 'typebox';
import { storableTextPattern } from '../storable-text.ts';

/** At most 64 names of at most 64 characters: they stand in every access token. */
export const Roles = Type.Array(Type.String({ minLength: 1, maxLength: 64, pattern: storableTextPattern }), {
  maxItems: 64,
  description: 'Roles of the account; they stand in its tokens.',
  examples: [['editor']],
});
