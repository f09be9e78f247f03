import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Histogram } from '../statistics/histogram.ts';
import { type LateLogout, Recovery, usualAgain, usualForMs, usualLogoutMs } from './recovery.ts';

const logout = (sentAtMs: number, latencyMs: number, isReal = false): LateLogout => ({ sentAtMs, latencyMs, isReal });
/** One every 100 ms, slow or failed where it says so. */
const everyTenth = (slowUntilMs: number, untilMs = 10_000): readonly LateLogout[] =>
  Array.from({ length: untilMs / 100 }, (_, index) => logout(index * 100, index * 100 < slowUntilMs ? 400 : 5));

test('what is usual is three times the p99 before, 25 ms at least, and unknown with too few sign-outs', () => {
  const before = new Histogram();
  assert.equal(usualLogoutMs(undefined), undefined);
  for (let count = 0; count < 19; count++) before.record(2);
  assert.equal(usualLogoutMs(before), undefined);
  before.record(2);
  assert.equal(usualLogoutMs(before), 25);
  before.record(40);
  assert.ok(Math.abs((usualLogoutMs(before) ?? 0) - 120) < 1);
});

test('sign-outs are usual again from the first moment with two seconds of usual ones behind it', () => {
  assert.deepEqual(usualAgain(everyTenth(0), 0, 10_000, 25), { afterMs: 0, isSeen: true });
  assert.deepEqual(usualAgain(everyTenth(750), 0, 10_000, 25), { afterMs: 700, isSeen: true });
  const relapse = [...everyTenth(300), logout(1950, 30), logout(4500, 900)];
  // The slow one at 1,950 ms is within two seconds of the one before; that at 4,500 ms is not.
  assert.deepEqual(usualAgain(relapse, 0, 10_000, 25), { afterMs: 1950, isSeen: true });
  const failed = [...everyTenth(0), logout(320, 2, true)];
  assert.deepEqual(usualAgain(failed, 0, 10_000, 25), { afterMs: 320, isSeen: true });
});

test('two seconds that were not watched, or without enough sign-outs, have not been seen', () => {
  assert.equal(usualAgain(everyTenth(0), 0, 1900, 25).isSeen, false);
  assert.deepEqual(usualAgain(everyTenth(10_000), 0, 10_000, 25), { afterMs: 9900, isSeen: false });
  assert.equal(usualAgain([logout(10, 2), logout(20, 2)], 0, 10_000, 25).isSeen, false);
  assert.equal(usualAgain([], 0, 10_000, 25).isSeen, false);
});

test('it is the moment that a look at every moment finds', () => {
  const sign = fc.record({ sentAtMs: fc.integer({ min: 0, max: 6000 }), isSlow: fc.boolean() });
  fc.assert(
    fc.property(fc.array(sign, { maxLength: 30 }), (signs) => {
      const logouts = signs.map(({ sentAtMs, isSlow }) => logout(sentAtMs, isSlow ? 100 : 1));
      const isUsualFrom = (momentMs: number): boolean =>
        logouts.every(
          ({ sentAtMs, latencyMs }) => latencyMs === 1 || sentAtMs < momentMs || sentAtMs > momentMs + usualForMs,
        );
      // A moment begins just after a slow one, and its two seconds end as much later.
      let momentMs = 0;
      while (!isUsualFrom(momentMs)) momentMs = Math.floor(momentMs + 0.5) + 0.5;
      assert.equal(usualAgain(logouts, 0, 10_000, 25).afterMs, Math.floor(momentMs));
    }),
  );
});

test('only what was sent after the healing and before the next outage counts', () => {
  const recovery = new Recovery(1000);
  const send = (sentAtMs: number, kind: 'ok' | 'real', name = '/auth/logout'): void =>
    recovery.record({
      method: 'POST',
      name,
      outcome: { kind, name: kind },
      sentAtMs,
      answeredAtMs: sentAtMs + 3,
      bytes: 0,
    });
  assert.equal(recovery.lastFailureAfterMs, undefined, 'nothing was sent');
  send(999, 'real');
  send(1100, 'ok');
  assert.equal(recovery.lastFailureAfterMs, 0);
  send(1700, 'real', '/auth/login');
  send(1650, 'real');
  assert.equal(recovery.lastFailureAfterMs, 700);
  recovery.breakOff(3000);
  send(3000, 'real');
  // In flight when something else was broken; this one failed because of that.
  send(2999, 'real');
  assert.deepEqual([recovery.requests, recovery.failures, recovery.logouts.length], [3, 2, 2]);
  assert.equal(recovery.lastFailureAfterMs, 700);
  assert.deepEqual(recovery.usualAgain(25), { afterMs: 650, isSeen: false });
});
