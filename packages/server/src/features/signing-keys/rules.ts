/**
 * When a key is published, when it signs, and when it retires.
 * @module
 */
import { keepUntilMs } from '@catalytic/protocol/journal';

/** How long a verifier may keep the JWKS before asking again, seconds. */
export const jwksMaxAgeSeconds = 60;

/**
 * Time after which a process loads the keys again, milliseconds: the command line or another worker
 * may have added one.
 */
export const keyReloadMs = 1000;

/**
 * When a key retires that is replaced: it signs until its successor is active, and its last token
 * expires no later than a journal entry of that moment. Linear in both parameters, so that an
 * engine can reckon it in SQL.
 * @param successorActivatesAtMs milliseconds since 1970
 * @param tokenSecondsMax longest access token lifetime this deployment has ever used, seconds
 */
export const retiresAtMs = (successorActivatesAtMs: number, tokenSecondsMax: number): number =>
  keepUntilMs(successorActivatesAtMs, tokenSecondsMax);

interface Times {
  readonly activatesAtMs: number;
  readonly retiresAtMs: number | null;
}

/**
 * The key that signs: of the active keys, the one activated last. No key is active if the clock was
 * set back to a time before the first key: then the oldest key signs, because verifiers have known
 * it the longest.
 */
export const signingKeyAt = <Key extends Times>(keys: readonly Key[], nowMs: number): Key | undefined => {
  const byActivation = keys
    .filter((key) => !isRetired(key, nowMs))
    .sort((one, other) => one.activatesAtMs - other.activatesAtMs);
  return byActivation.findLast((key) => key.activatesAtMs <= nowMs) ?? byActivation[0];
};

/**
 * Whether a key that is killed must be replaced at once: it is the newest one, which retires last,
 * or no other key is active. Verifiers that cache the keys do not know the replacement yet, but
 * waiting for them would mean signing with the killed key.
 * @param others the keys that remain
 */
export const needsReplacement = (killed: Times, others: readonly Times[], nowMs: number): boolean =>
  killed.retiresAtMs === null || !others.some((key) => key.activatesAtMs <= nowMs && !isRetired(key, nowMs));

/** Pattern of the ids: a SHA-256 thumbprint in base64url (RFC 7638). */
export const signingKeyIdPattern = '^[A-Za-z0-9_-]{43}$';

/** Whether every token that the key has signed has expired. */
export const isRetired = (key: Times, nowMs: number): boolean => key.retiresAtMs !== null && key.retiresAtMs <= nowMs;
