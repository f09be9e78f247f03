/**
 * Loaded into a process under test before its code (`NODE_OPTIONS=--import …`): gives it clocks that differ from those of the machine.
 *
 * - `CLOCK_SHIFT_FILE` names a file with milliseconds by which the wall clock is shifted; a change of the file is followed. The monotonic
 *   clock stays, as it does when a machine's time is set.
 * - `CLOCK_HIDES_PAUSES` is `monotonic` or `both`: these clocks stand still while the process is paused, as they do in a virtual machine that
 *   is suspended. A process that has not looked at the time for longer than {@link pauseMsMin} was paused.
 * @module
 */
import { readFileSync } from 'node:fs';

const lookEveryMs = 20;
const pauseMsMin = 200;

const file = process.env['CLOCK_SHIFT_FILE'];
const hides = process.env['CLOCK_HIDES_PAUSES'];
const machineNowMs = Date.now;
const machineMonoMs = performance.now.bind(performance);
let shiftMs = 0;
let hiddenMs = 0;
let lastMonoMs = machineMonoMs();

/** Milliseconds that the process was paused so far. */
const pausedMs = (): number => {
  const monoMs = machineMonoMs();
  if (monoMs - lastMonoMs > pauseMsMin) hiddenMs += monoMs - lastMonoMs;
  lastMonoMs = monoMs;
  return hiddenMs;
};

const look = (): void => {
  pausedMs();
  try {
    shiftMs = Number(readFileSync(String(file), 'utf8'));
  } catch {
    // Not written yet: no shift.
  }
};

if (file !== undefined) {
  look();
  setInterval(look, lookEveryMs).unref();
  if (hides !== undefined) performance.now = () => machineMonoMs() - pausedMs();
  Date.now = () => machineNowMs() + shiftMs - (hides === 'both' ? Math.round(pausedMs()) : 0);
  globalThis.Date = new Proxy(Date, {
    construct: (target, args: readonly unknown[]) =>
      Reflect.construct(target, args.length === 0 ? [Date.now()] : args) as Date,
  });
}
