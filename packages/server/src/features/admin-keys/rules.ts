/**
 * How keys of the service are named, when they end, and when their use is recorded: admin keys, and
 * guard keys as well.
 * @module
 */

/**
 * Names a key by the beginning of its hash: enough to tell keys apart, and useless to anyone
 * looking for the key itself.
 * @param hash SHA-256 of the key
 */
export const keyId = (hash: Uint8Array): string => Buffer.from(hash.subarray(0, 6)).toString('hex');

/** Pattern of the ids. */
export const keyIdPattern = '^[0-9a-f]{12}$';

/** Whether the time of a key is over. */
export const hasExpired = ({ expiresAtMs }: { readonly expiresAtMs: number | null }, nowMs: number): boolean =>
  expiresAtMs !== null && expiresAtMs <= nowMs;

/**
 * How often the use of a key is recorded at most, milliseconds: an administrator's script must not
 * cost a write per request.
 */
export const useRecordedEveryMs = 60_000;

/** Whether a use is to be recorded. */
export const isUseDue = ({ lastUsedAtMs }: { readonly lastUsedAtMs: number | null }, nowMs: number): boolean =>
  lastUsedAtMs === null || nowMs - lastUsedAtMs >= useRecordedEveryMs;

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000 };

/** Longest life that can be given, days: ten years. */
const lifeDaysMax = 3653;
/** The same in seconds. */
export const keyLifeSecondsMax = lifeDaysMax * 86_400;

/**
 * Reads the end of a key: hours or days from now (`12h`, `90d`), at most ten years.
 * @returns milliseconds since 1970; `undefined` when the text is anything else
 */
export const parseExpiry = (text: string, nowMs: number): number | undefined => {
  const [, count, unit = ''] = /^([1-9]\d{0,4})([hd])$/.exec(text) ?? [];
  const lifeMs = Number(count) * (unitMs[unit] ?? Number.NaN);
  return lifeMs <= keyLifeSecondsMax * 1000 ? nowMs + lifeMs : undefined;
};
