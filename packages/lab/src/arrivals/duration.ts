/**
 * Numbers and durations as people type them: one way of reading for options, stages and faults.
 * @module
 */

/** A number in decimal digits. Hexadecimal, exponents, spaces and Infinity are refused as slips. */
const decimal = /^\d+(?:\.\d+)?$/;

/** Longest duration, seconds: 100 days. Beyond it a unit was mistaken. */
const secondsMax = 100 * 86_400;

/** A number of 0 or more in plain decimal digits; `undefined` when it is none. */
export const parseDecimal = (text: string): number | undefined => {
  const value = decimal.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
};

const parts = /^(?:([\d.]+)d)?(?:([\d.]+)h)?(?:([\d.]+)m(?!s))?(?:([\d.]+)s)?(?:([\d.]+)ms)?$/;
const unitSeconds = [86_400, 3600, 60, 1, 0.001];

/**
 * `90`, `90s`, `1h30m`, `1.5h`, `500ms`, `2d`, in seconds; `undefined` when it is none, or nothing,
 * or more than 100 days.
 */
export const parseDuration = (text: string): number | undefined => {
  const bare = parseDecimal(text);
  const words = bare === undefined ? (parts.exec(text)?.slice(1) ?? []) : [];
  const each = words.map((word, index) =>
    word === undefined ? 0 : (parseDecimal(word) ?? Number.NaN) * (unitSeconds[index] ?? 1),
  );
  const seconds = bare ?? each.reduce((sum, part) => sum + part, 0);
  return seconds > 0 && seconds <= secondsMax ? seconds : undefined;
};

/** Examples for a refusal. */
export const durationExamples = '90s, 3m, 1h30m, 500ms or 2d';
