import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { GuardMode } from '../results/guard-result.ts';
import { type GuardAnswer, GuardMeasure } from './guard-measure.ts';
import type { TokenState } from './outcome.ts';

const leaseMs = 1000;
const measureOf = (mode: GuardMode): GuardMeasure => new GuardMeasure({ url: 'http://api.test/', mode }, leaseMs);
const answer = (sentAtMs: number, status: number): GuardAnswer => ({ status, sentAtMs, answeredAtMs: sentAtMs + 5 });

const live: TokenState = { expiresAtMs: 1e6 };
/** Signed out with a 200 at 105. */
const dead: TokenState = { ...live, revokeSentAtMs: 100, revokedAtMs: 105, deadFromMs: 105 };
/** Signed out with a 202 at 105, complete at 2105. */
const pending: TokenState = { ...live, revokeSentAtMs: 100, revokedAtMs: 105, deadFromMs: 2105 };

const breachOf = (mode: GuardMode, token: TokenState, sentAtMs: number, status: number): string | undefined =>
  measureOf(mode).take(token, answer(sentAtMs, status)).breach;

test('after the 200 a strict guard and one that asks may accept nothing more', () => {
  for (const mode of ['strict', 'ask'] as const) {
    assert.equal(breachOf(mode, dead, 104, 200), undefined, 'the request was sent before the answer');
    assert.equal(breachOf(mode, dead, 105, 200), 'accepted by a guard after promise');
    assert.equal(breachOf(mode, dead, 105, 204), 'accepted by a guard after promise');
    for (const status of [401, 503, 404, 500]) assert.equal(breachOf(mode, dead, 106, status), undefined);
  }
});

test('a guard that follows has 1.1 leases from the answer, of a 202 too', () => {
  assert.equal(breachOf('follow', dead, 1204, 200), undefined);
  assert.equal(breachOf('follow', dead, 1205, 200), 'accepted by a guard after promise');
  for (const mode of ['strict', 'follow'] as const) {
    assert.equal(breachOf(mode, pending, 2104, 200), undefined, 'nothing is promised yet');
    assert.equal(breachOf(mode, pending, 2105, 200), 'accepted by a guard after promise');
  }
});

test('a live token must not be refused; near its end, or while its logout is under way, it may', () => {
  assert.equal(breachOf('strict', live, 100, 401), 'live token refused by a guard');
  assert.equal(breachOf('follow', { ...live, revokeSentAtMs: 106 }, 100, 401), 'live token refused by a guard');
  assert.equal(breachOf('strict', { ...live, revokeSentAtMs: 105 }, 100, 401), undefined);
  assert.equal(breachOf('strict', { expiresAtMs: 2000 }, 100, 401), undefined);
  for (const status of [200, 503, 404]) assert.equal(breachOf('strict', live, 100, status), undefined);
});

test('each answer about a live or a dead token is counted once, by its status', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ token: fc.constantFrom(live, dead, pending), status: fc.constantFrom(200, 401, 503, 404, 0) }),
      ),
      (answers) => {
        const measure = measureOf('strict');
        for (const { token, status } of answers)
          measure.take(token, status === 0 ? { sentAtMs: 200, answeredAtMs: 205 } : answer(200, status));
        const count = (token: TokenState, ...statuses: readonly number[]): number =>
          answers.filter((each) => each.token === token && statuses.includes(each.status)).length;
        for (const [token, counted] of [
          [live, measure.live],
          [dead, measure.dead],
        ] as const)
          assert.deepEqual(counted, {
            tried: count(token, 200, 401, 503, 404, 0),
            accepted: count(token, 200),
            refused: count(token, 401),
            unavailable: count(token, 503),
            other: count(token, 404, 0),
          });
        assert.equal(measure.violations, count(dead, 200));
      },
    ),
  );
});
