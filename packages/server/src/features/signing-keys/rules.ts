/**
 * When a key is published, signs and is forgotten.
 * @module
 */
import { keepUntilMs } from '@catalytic/protocol/journal';

/** How long a verifier may keep the JWKS before asking again, seconds. */
export const jwksMaxAgeSeconds = 60;

/** How often a process looks for keys made by another one (the command line, another worker), milliseconds. */
export const keyReloadMs = 1000;

/** Time between the publication of a successor and its first signature: every cache has been refreshed twice by then. */
export const publishLeadSeconds = 2 * jwksMaxAgeSeconds + 10;

/**
 * When a key retires that is replaced: it signs until its successor is active, and its last token expires no later than a journal entry of
 * that moment. Linear in both parameters, so that an engine can reckon it in SQL.
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
 * The key that signs: of those that are active, the one activated last. None is active when the clock was set back to before the birth of
 * the first: then the oldest signs, which every verifier has known the longest.
 */
export const signingKeyAt = <Key extends Times>(keys: readonly Key[], nowMs: number): Key | undefined => {
  const byActivation = keys
    .filter((key) => !isRetired(key, nowMs))
    .sort((one, other) => one.activatesAtMs - other.activatesAtMs);
  return byActivation.findLast((key) => key.activatesAtMs <= nowMs) ?? byActivation[0];
};

/** Whether nothing the key signed can be valid any more. */
export const isRetired = (key: Times, nowMs: number): boolean => key.retiresAtMs !== null && key.retiresAtMs <= nowMs;
