/**
 * Loaded into a process under test before its code (`NODE_OPTIONS=--import …`): shifts its wall clock by the milliseconds in the file that
 * `CLOCK_SHIFT_FILE` names, and follows when that file changes. The monotonic clock stays, as it does when a machine's time is set.
 * @module
 */
import { readFileSync } from 'node:fs';

const lookEveryMs = 20;

const file = process.env['CLOCK_SHIFT_FILE'];
const machineNowMs = Date.now;
let shiftMs = 0;

const look = (): void => {
  try {
    shiftMs = Number(readFileSync(String(file), 'utf8'));
  } catch {
    // Not written yet: no shift.
  }
};

if (file !== undefined) {
  look();
  setInterval(look, lookEveryMs).unref();
  Date.now = () => machineNowMs() + shiftMs;
  globalThis.Date = new Proxy(Date, {
    construct: (target, args: readonly unknown[]) =>
      Reflect.construct(target, args.length === 0 ? [Date.now()] : args) as Date,
  });
}
