/**
 * The wall clock by which revocations are forgotten. With the plain wall clock, a clock that was an
 * hour ahead and is then corrected would revive the tokens whose revocations were forgotten
 * meanwhile. That happens when a machine starts before it knows the time, or by hand.
 * @module
 */
import type { Clocks } from './clocks.ts';

/**
 * A wall clock that gains at most this part of the monotonic clock is being slewed, not stepped. It
 * is half as much again as the drift that assumption A2 of docs/operating/revocation.md allows.
 */
const slewMax = 0.125;
/** Smaller differences are rounding, milliseconds. */
const stepMsMin = 100;
/** Steps of the wall clock above it are reported, milliseconds: NTP makes smaller ones at a start. */
const stepToldMsMin = 10_000;

/**
 * Makes the clock. It follows the wall clock back at once. It follows a step forward, and the first
 * reading of the process, only after the monotonic clock has run for `keepMs` since: by then every
 * entry has been kept for as long as any token it names can live, whatever the wall clock showed.
 * Until then it continues from before the step, at the pace of the monotonic clock.
 * @param keepMs how long an entry is kept, milliseconds; asked at each reading. Until that is known it
 *   is infinite, and nothing is forgotten
 * @param onStep called when the wall clock was set: by how much, milliseconds, negative for back
 * @returns milliseconds since 1970 by which to forget; call it every few seconds
 */
export const forgettingClock = (
  { monoMs, wallMs }: Pick<Clocks, 'monoMs' | 'wallMs'>,
  keepMs: () => number,
  onStep: (byMs: number) => void = () => {},
): (() => number) => {
  // At the start nothing counts as old: earlier readings are unknown.
  let believed = { wallMs: Number.NEGATIVE_INFINITY, monoMs: monoMs() };
  let step = { gainMs: wallMs() - monoMs(), sinceMonoMs: monoMs() };
  let lastGainMs = step.gainMs;
  return () => {
    const [mono, wall] = [monoMs(), wallMs()];
    const byMs = wall - mono - lastGainMs;
    lastGainMs = wall - mono;
    if (Math.abs(byMs) > stepToldMsMin) onStep(byMs);
    const expectedMs = believed.wallMs + (mono - believed.monoMs);
    const gainMs = wall - mono;
    // The clock stepped again: entries written since the first step are younger than their dates.
    if (gainMs - step.gainMs > Math.max(stepMsMin, (mono - believed.monoMs) * slewMax))
      step = { gainMs, sinceMonoMs: mono };
    step.gainMs = Math.min(step.gainMs, gainMs);
    const isSlow = wall - expectedMs <= Math.max(stepMsMin, (mono - believed.monoMs) * slewMax);
    if (isSlow || mono - step.sinceMonoMs >= keepMs()) {
      believed = { wallMs: wall, monoMs: mono };
      step = { gainMs, sinceMonoMs: mono };
      return wall;
    }
    believed = { wallMs: expectedMs, monoMs: mono };
    return expectedMs;
  };
};
