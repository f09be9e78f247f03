import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReturnTimes, returnSecondsMax } from './return-times.ts';

const hashMs = 10;

/** What this many refused at one moment are told. */
const tell = (times: ReturnTimes, count: number, nowMs: number, waitMs = 2000): number[] =>
  Array.from({ length: count }, (_, index) => times.take(nowMs, waitMs, hashMs, (index % 100) / 100));

test('a crowd that is refused at once is sent into as many seconds as the lanes need for it', () => {
  const told = tell(new ReturnTimes(), 1000, 0);
  assert.equal(told[0], 2);
  assert.equal(told.at(-1), 12);
  for (const [second, group] of Map.groupBy(told, (seconds) => seconds))
    assert.ok(group.length <= 1000 / hashMs, `${group.length} in second ${second}`);
});

test('who is refused later comes after those who were told before, until their time is over', () => {
  const times = new ReturnTimes();
  tell(times, 500, 0);
  assert.equal(times.take(1000, 2000, hashMs, 0), 6);
  assert.equal(times.take(60_000, 2000, hashMs, 0), 2, 'nobody is expected any more');
});

test('nobody is told more than the maximum, nor are all who would be sent to one moment', () => {
  const told = tell(new ReturnTimes(), 20_000, 0);
  assert.equal(Math.max(...told), returnSecondsMax);
  const beyond = told.slice(10_000);
  assert.ok(Math.min(...beyond) >= returnSecondsMax / 2);
  assert.ok(new Set(beyond).size >= returnSecondsMax / 2);
});

test('nobody is told less than a second', () => {
  assert.equal(new ReturnTimes().take(0, 0, 0.1, 0), 1);
});
