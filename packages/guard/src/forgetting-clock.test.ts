import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forgettingClock } from './forgetting-clock.ts';

const keepMs = 1_000_000;
const hourMs = 3_600_000;

/** A machine whose clocks the test turns. */
const machine = () => {
  let mono = 5000;
  let wall = 1_800_000_000_000;
  const steps: number[] = [];
  const read = forgettingClock(
    { monoMs: () => mono, wallMs: () => wall },
    () => keepMs,
    (byMs) => steps.push(byMs),
  );
  return {
    steps,
    wall: () => wall,
    step: (ms: number): void => {
      wall += ms;
    },
    /** Lets time pass, asking every second. */
    run: (ms: number, rate = 1): number => {
      let last = read();
      for (let passed = 0; passed < ms; passed += 1000) {
        mono += 1000;
        wall += 1000 * rate;
        last = read();
      }
      return last;
    },
  };
};

test('at the start nothing is forgotten until everything has been kept long enough', () => {
  const { run, wall } = machine();
  assert.equal(run(keepMs - 1000), Number.NEGATIVE_INFINITY);
  assert.equal(run(1000), wall());
});

test('a step forward is believed when it has lasted; one that is taken back never counts', () => {
  const { run, step, wall } = machine();
  run(keepMs);
  step(hourMs);
  assert.equal(run(keepMs - 1000), wall() - hourMs);
  step(-hourMs);
  assert.equal(run(1000), wall());
  step(hourMs);
  assert.equal(run(keepMs - 1000), wall() - hourMs);
  assert.equal(run(2000), wall());
});

test('a second step counts from itself', () => {
  const { run, step, wall } = machine();
  run(keepMs);
  step(hourMs);
  run(keepMs - 1000);
  step(hourMs);
  assert.equal(run(keepMs - 1000), wall() - 2 * hourMs);
  assert.equal(run(2000), wall());
});

test('back it goes at once, and a slow correction is followed', () => {
  const { run, step, wall } = machine();
  run(keepMs);
  step(-hourMs);
  assert.equal(run(1000), wall());
  assert.equal(run(60_000, 1.1), wall());
  assert.equal(run(60_000, 0.9), wall());
});

test('a step is reported once, in each direction; a slewed clock is not', () => {
  const { run, step, steps } = machine();
  run(5000, 1.01);
  step(hourMs);
  run(5000);
  step(-hourMs);
  run(5000);
  assert.deepEqual(
    steps.map((byMs) => Math.round(byMs / 1000)),
    [3600, -3600],
  );
});
