/**
 * How routes answer a revocation: 200 when it holds everywhere, 202 when it will within a known
 * time without further action.
 * @module
 */

import type { Answer } from '../route.ts';
import { type Fields, type Schema, Type } from '../schema.ts';
import type { Propagation } from './barrier.ts';

/**
 * Schemas of the two answers, by status.
 * @param title name of the first in the API's description; of the second, with `Pending`
 * @param fields further fields of both
 */
export const propagationAnswers = (title: string, fields: Fields): Readonly<Record<200 | 202, Schema>> => ({
  200: Type.Object(
    {
      ...fields,
      propagation: Type.Literal('complete', { description: 'No process accepts what was revoked any more.' }),
    },
    { title, description: 'Done, and true everywhere now.' },
  ),
  202: Type.Object(
    {
      ...fields,
      propagation: Type.Literal('pending', { description: 'A process has not confirmed it yet.' }),
      complete_within_ms: Type.Integer({
        description: 'Milliseconds after which it is true everywhere, by itself.',
        examples: [5000],
      }),
    },
    { title: `${title}Pending`, description: 'Done for good, and true everywhere within the time that is named.' },
  ),
});

/** The answer. @param fields its further fields */
export const propagationAnswer = (result: Propagation, fields: Readonly<Record<string, unknown>>): Answer =>
  result.propagation === 'complete'
    ? { status: 200, body: { ...fields, propagation: 'complete' } }
    : { status: 202, body: { ...fields, propagation: 'pending', complete_within_ms: result.completeWithinMs } };

/** The answers of routes that only revoke. */
export const revokedAnswers: Readonly<Record<200 | 202, Schema>> = propagationAnswers('Revoked', {
  revoked: Type.Boolean({
    description: 'Always true. It is durable: nothing brings the token back.',
    examples: [true],
  }),
});

/** The answer of a route that only revokes. */
export const revokedAnswer = (result: Propagation): Answer => propagationAnswer(result, { revoked: true });
