/**
 * How many guards may be registered with a key, and when: not while its guards fall silent again and
 * again, because each sign-out waits until they are gone. Pure.
 * @module
 */

/** Most guards of a key that names no other number: a sign-out waits for the slowest of them. */
export const usualGuardsMax = 100;
/** The highest such number that a key may name. The deployment has a limit as well. */
export const guardsMaxMost = 1000;

/** How many times the guards of a key were marked as silent, as its row counts them. */
export interface Marks {
  readonly marks: number;
  /** When they last were, milliseconds since 1970; `null`: never. */
  readonly markedAtMs: number | null;
}

/** Marks that are further apart than this are not counted together, milliseconds. */
export const marksWithinMs = 600_000;
/** With this many marks a key is unsteady. Fewer happen when machines are replaced. */
export const unsteadyMarks = 3;
/** How long an unsteady key registers no guard, milliseconds. Each further mark doubles it. */
export const pauseMsMin = 30_000;
/** The longest such time, milliseconds. */
export const pauseMsMax = 600_000;

/**
 * The number of marks after another one.
 * @param nowMs when the guards were marked, milliseconds since 1970
 */
export const marksAfter = ({ marks, markedAtMs }: Marks, nowMs: number): number =>
  markedAtMs !== null && markedAtMs > nowMs - marksWithinMs ? marks + 1 : 1;

/** From when on guards may be registered, milliseconds since 1970; 0: they may. */
export const steadyAtMs = ({ marks, markedAtMs }: Marks): number =>
  markedAtMs === null || marks < unsteadyMarks
    ? 0
    : markedAtMs + Math.min(pauseMsMax, pauseMsMin * 2 ** (marks - unsteadyMarks));

/** How long a guard waits before it asks again, seconds; 0: it may be registered now. */
export const pauseSeconds = (marks: Marks, nowMs: number): number =>
  Math.max(0, Math.ceil((steadyAtMs(marks) - nowMs) / 1000));
