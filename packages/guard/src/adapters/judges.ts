/**
 * What every adapter asks.
 * @module
 */
import type { Auth, ReadNeeds, Verdict } from '../auth.ts';
import type { Refusal } from '../refusals.ts';

/** The judges of a guard. */
export interface Judges {
  verify(authorization: string | undefined, needs: ReadNeeds): Promise<Verdict>;
  /** What an accepted caller lacks for a route. */
  lacking(auth: Auth, needs: ReadNeeds): Refusal | undefined;
}

/** Callers that a guard has accepted, by their requests. */
const accepted = new WeakMap<object, { readonly by: Judges; readonly auth: Auth }>();

/**
 * Whose request it is, with its type, for handlers of frameworks whose requests have no `auth` of this type.
 * @throws {TypeError} when no guard has accepted the request: the route is not guarded
 */
export const authOf = (request: object): Auth => {
  const known = accepted.get(request);
  if (known === undefined) throw new TypeError('No guard has accepted this request: guard its route first');
  return known.auth;
};

/** Judges a request once, and what further needs it meets without asking again. */
export const judge = async (
  judges: Judges,
  request: object,
  authorization: string | undefined,
  needs: ReadNeeds,
): Promise<Verdict> => {
  const known = accepted.get(request);
  if (known?.by === judges) {
    const refusal = judges.lacking(known.auth, needs);
    return refusal === undefined ? { accepted: true, auth: known.auth } : { accepted: false, refusal };
  }
  const verdict = await judges.verify(authorization, needs);
  if (verdict.accepted) accepted.set(request, { by: judges, auth: verdict.auth });
  return verdict;
};
