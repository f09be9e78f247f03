/**
 * The name that a target gives to a problem. The target is a black box, so nothing here throws.
 * @module
 */

/** The JSON object that a text is; one without fields when it is none. */
export const readObject = (text: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
};

/**
 * Longest code that names an error, characters. A longer one is text, and would make a name of each
 * answer.
 */
const codeCharsMax = 100;

/**
 * The `code` of a problem answer (RFC 9457); `undefined` when it has none, or one that is too long
 * to be a name.
 */
export const problemCodeOf = (text: string): string | undefined => {
  const { code } = readObject(text);
  return typeof code === 'string' && code.length <= codeCharsMax ? code : undefined;
};
