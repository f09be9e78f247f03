/**
 * How routes answer a revocation: 200 when it holds everywhere, 202 when it will by itself.
 * @module
 */
import { type TObject, type TProperties, Type } from 'typebox';
import type { Answer } from '../route.ts';
import type { Propagation } from './barrier.ts';

/** Schemas of the two answers, by status. @param fields what else they say */
export const propagationAnswers = (fields: TProperties): Readonly<Record<200 | 202, TObject>> => ({
  200: Type.Object({ ...fields, propagation: Type.Literal('complete') }),
  202: Type.Object({ ...fields, propagation: Type.Literal('pending'), complete_within_ms: Type.Integer() }),
});

/** The answer. @param fields what else it says */
export const propagationAnswer = (result: Propagation, fields: Readonly<Record<string, unknown>>): Answer =>
  result.propagation === 'complete'
    ? { status: 200, body: { ...fields, propagation: 'complete' } }
    : { status: 202, body: { ...fields, propagation: 'pending', complete_within_ms: result.completeWithinMs } };

/** The answers of what only revokes. */
export const revokedAnswers: Readonly<Record<200 | 202, TObject>> = propagationAnswers({ revoked: Type.Literal(true) });

/** The answer of what only revokes. */
export const revokedAnswer = (result: Propagation): Answer => propagationAnswer(result, { revoked: true });
