import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Alarms } from './alarms.ts';

test('alarms ring in order, never early, and those in the past at once', async () => {
  const alarms = new Alarms();
  const startMs = performance.now();
  const rung: [number, number][] = [];
  for (const afterMs of [40, 5, 80, -10, 20, 5])
    alarms.at(startMs + afterMs, () => rung.push([afterMs, performance.now() - startMs]));
  assert.equal(rung.length, 0, 'not before the call has returned');
  await delay(150);
  assert.deepEqual(
    rung.map(([afterMs]) => afterMs),
    [-10, 5, 5, 20, 40, 80],
  );
  for (const [afterMs, rungMs] of rung) assert.ok(rungMs >= afterMs, `${afterMs} rang at ${rungMs}`);
});

test('an alarm may set others, a stall loses none, and none rings after it was cleared', async () => {
  const alarms = new Alarms();
  let count = 0;
  const again = (): void => {
    count += 1;
    if (count < 5) alarms.at(performance.now() + 1, again);
  };
  alarms.at(performance.now(), again);
  // Longer than a round of the wheel.
  let isFar = false;
  alarms.at(performance.now() + 20_000, () => {
    isFar = true;
  });
  const untilMs = performance.now() + 30;
  while (performance.now() < untilMs);
  await delay(100);
  assert.equal(count, 5);
  alarms.at(performance.now() + 10, again);
  alarms.clear();
  await delay(50);
  assert.equal(count, 5);
  assert.equal(isFar, false);
});
