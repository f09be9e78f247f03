/**
 * Takes the bearer secret out of the request (RFC 6750 section 2.1): from the header only, never
 * from a query, a form field or a cookie.
 * @module
 */
import { CatalyticError, type ErrorCode } from '@catalytic/protocol/errors';

/**
 * Reads the `Authorization` header. The scheme is compared without regard to case (RFC 9110 section
 * 11.1); exactly one space follows.
 * @param missing code when there is no bearer secret at all
 * @throws {CatalyticError} `missing`
 */
export const bearerSecret = (authorization: string | undefined, missing: ErrorCode): string => {
  if (authorization === undefined || authorization.length < 8) throw new CatalyticError(missing);
  const scheme = authorization.slice(0, 7);
  if (scheme !== 'Bearer ' && scheme.toLowerCase() !== 'bearer ') throw new CatalyticError(missing);
  return authorization.slice(7);
};
