/**
 * The wall clock by which revocations are forgotten. A clock that was an hour ahead and is set right would else revive what was forgotten
 * meanwhile: a machine that starts before it knows the time, or a correction by hand.
 * @module
 */
import type { Clocks } from '@catalytic/guard/clocks';

/** A wall clock that gains no more than this part of the monotonic one is being corrected slowly: half as much again as A2 allows. */
const slewMax = 0.125; /** Below this a difference is a rounding, milliseconds. */
const stepMsMin = 100;

/**
 * Makes the clock. It follows the wall clock back at once. Forward it follows a step, and what the clock says at the start of the process,
 * only when the monotonic clock has run for `keepMs` since: every entry has then been kept for as long as any token it names can live,
 * whatever the wall clock said. Until then it goes on from before the step, at the monotonic clock's pace.
 * @param keepMs how long an entry is kept, milliseconds
 * @returns milliseconds since 1970 by which to forget; call it every few seconds
 */
export const forgettingClock = (
  { monoMs, wallMs }: Pick<Clocks, 'monoMs' | 'wallMs'>,
  keepMs: number,
): (() => number) => {
  // Nothing is old at the start: what the clock said before is not known.
  let believed = { wallMs: Number.NEGATIVE_INFINITY, monoMs: monoMs() };
  let step = { gainMs: wallMs() - monoMs(), sinceMonoMs: monoMs() };
  return () => {
    const [mono, wall] = [monoMs(), wallMs()];
    const expectedMs = believed.wallMs + (mono - believed.monoMs);
    const gainMs = wall - mono;
    // Stepped once more: what was written since the first step is younger than its date says.
    if (gainMs - step.gainMs > Math.max(stepMsMin, (mono - believed.monoMs) * slewMax))
      step = { gainMs, sinceMonoMs: mono };
    step.gainMs = Math.min(step.gainMs, gainMs);
    const isSlow = wall - expectedMs <= Math.max(stepMsMin, (mono - believed.monoMs) * slewMax);
    if (isSlow || mono - step.sinceMonoMs >= keepMs) {
      believed = { wallMs: wall, monoMs: mono };
      step = { gainMs, sinceMonoMs: mono };
      return wall;
    }
    believed = { wallMs: expectedMs, monoMs: mono };
    return expectedMs;
  };
};
