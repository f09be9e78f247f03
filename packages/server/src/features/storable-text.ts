/**
 * Which texts every engine can store.
 * @module
 */

/**
 * Any text without NUL, which PostgreSQL refuses, and without half of a surrogate pair, which no
 * encoding can express. For schemas of texts that are stored or looked up; it means the same with
 * and without the flag `u`.
 */
export const storableTextPattern = '^(?:[^\\u0000\\ud800-\\udfff]|[\\ud800-\\udbff][\\udc00-\\udfff])*$';

/** The pattern in words. */
export const storableTextRefusal = 'must not hold NUL or half of a surrogate pair';

/** Whether a text can be stored. A text that cannot be is nowhere in the database. */
export const isStorableText = (text: string): boolean => !text.includes('\0') && text.isWellFormed();
