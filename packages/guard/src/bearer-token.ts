/**
 * Takes the access token out of an `Authorization` header (RFC 6750 section 2.1).
 * @module
 */

/**
 * Reads the header. The scheme is compared without regard to case (RFC 9110 section 11.1), and one space follows.
 * @returns `undefined` when there is no bearer token
 */
export const bearerToken = (authorization: string | undefined): string | undefined => {
  const [, token] = /^bearer ([^\s,]+)$/i.exec(authorization ?? '') ?? [];
  return token;
};
