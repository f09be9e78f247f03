/**
 * How far one sign-in goes in ending sessions that are too many.
 * @module
 */

/** Most sessions that one sign-in ends: bounds its transaction where the limit has just been lowered. */
export const displacedMax = 100;
