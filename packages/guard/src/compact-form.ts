/**
 * The strict compact form of a JWS (RFC 7515 section 7.1): three canonical base64url segments and
 * nothing around them.
 * @module
 */

/** The three segments of a token, still encoded. */
export interface CompactForm {
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
}

/**
 * Longest token that is parsed, characters. Our tokens have about 700; the bound keeps a hostile
 * header cheap.
 */
export const tokenCharactersMax = 4096;

const compactPattern = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;
// The last character of a segment has unused bits when the length is not a multiple of four. They
// must be zero, else the same bytes would have several spellings.
const lastOfTwo = /[AQgw]$/;
const lastOfThree = /[AEIMQUYcgkosw048]$/;

const isCanonical = (segment: string): boolean => {
  switch (segment.length % 4) {
    case 0:
      return true;
    case 2:
      return lastOfTwo.test(segment);
    case 3:
      return lastOfThree.test(segment);
    default:
      return false;
  }
};

/**
 * Splits a token into its segments.
 * @returns `undefined` when the text is not exactly one canonical compact form: padding, spaces,
 *   line ends, other alphabets, non-zero unused bits, a fourth segment. Each token has one spelling
 *   only, so no second spelling can slip past anything keyed on the first.
 */
export const parseCompactForm = (token: string): CompactForm | undefined => {
  if (token.length > tokenCharactersMax) return undefined;
  const match = compactPattern.exec(token);
  if (match === null) return undefined;
  const [, header, payload, signature] = match;
  if (header === undefined || payload === undefined || signature === undefined) return undefined;
  if (!isCanonical(header) || !isCanonical(payload) || !isCanonical(signature)) return undefined;
  return { header, payload, signature };
};

/** The JSON object in a segment; `undefined` when it holds none. */
export const parseSegment = (segment: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
};
