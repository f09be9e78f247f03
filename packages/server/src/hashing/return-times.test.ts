import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReturnTimes, returnSecondsMax } from './return-times.ts';

const hashMs = 10;

/** The slots of this many refusals at one moment. */
const tell = (times: ReturnTimes, count: number, nowMs: number, waitMs = 2000): number[] =>
  Array.from({ length: count }, (_, index) => times.take(nowMs, waitMs, hashMs, (index % 100) / 100));

test('a crowd that is refused at once is sent into as many seconds as the lanes need for it', () => {
  const told = tell(new ReturnTimes(), 1000, 0);
  assert.equal(told[0], 2);
  assert.equal(told.at(-1), 12);
  for (const [second, group] of Map.groupBy(told, (seconds) => seconds))
    assert.ok(group.length <= 1000 / hashMs, `${group.length} in second ${second}`);
});

test('a later refusal gets a slot after the earlier ones, until their time is over', () => {
  const times = new ReturnTimes();
  tell(times, 500, 0);
  assert.equal(times.take(1000, 2000, hashMs, 0), 6);
  assert.equal(times.take(60_000, 2000, hashMs, 0), 2, 'no client is expected any more');
});

test('no slot is later than the maximum, and slots beyond it are spread', () => {
  const told = tell(new ReturnTimes(), 20_000, 0);
  assert.equal(Math.max(...told), returnSecondsMax);
  const beyond = told.slice(10_000);
  assert.ok(Math.min(...beyond) >= returnSecondsMax / 2);
  assert.ok(new Set(beyond).size >= returnSecondsMax / 2);
});

test('no slot is earlier than a second', () => {
  assert.equal(new ReturnTimes().take(0, 0, 0.1, 0), 1);
});
