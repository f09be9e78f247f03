import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasExpired, isUseDue, parseExpiry } from './rules.ts';

test('a key ends at its time, or never', () => {
  assert.deepEqual(
    [null, 999, 1000, 1001].map((expiresAtMs) => hasExpired({ expiresAtMs }, 1000)),
    [false, true, true, false],
  );
});

test('the use of a key is recorded once a minute at most', () => {
  assert.deepEqual(
    [null, 0, 40_000, 40_001, 100_000].map((lastUsedAtMs) => isUseDue({ lastUsedAtMs }, 100_000)),
    [true, true, true, false, false],
  );
});

test('the end of a key is given in hours or days, up to ten years', () => {
  assert.equal(parseExpiry('12h', 1000), 1000 + 12 * 3_600_000);
  assert.equal(parseExpiry('90d', 1000), 1000 + 90 * 86_400_000);
  for (const text of ['', '0d', '-1d', '1.5d', '90', '90m', '1d ', '3654d', '99999d', '2026-01-01'])
    assert.equal(parseExpiry(text, 1000), undefined, text);
});
