import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConsistencyChecker } from './consistency.ts';
import { type Exchange, outcomeOf, type TokenState } from './outcome.ts';

const call = (sentAtMs: number, status: number, token: TokenState): Exchange => ({
  task: 'protected',
  sentAtMs,
  answeredAtMs: sentAtMs + 5,
  status,
  token,
});
const logout = (sentAtMs: number, status: number, token: TokenState): Exchange => ({
  ...call(sentAtMs, status, token),
  task: 'logout',
});

test('a call that overlaps the logout may go either way', () => {
  const checker = new ConsistencyChecker();
  const token = checker.issue(0);
  checker.observe(token, logout(100, 200, { expiresAtMs: 1e6, revokeSentAtMs: 100, deadFromMs: 105 }));
  checker.observe(token, call(104, 200, { expiresAtMs: 1e6, revokeSentAtMs: 100, deadFromMs: 105 }));
  assert.equal(checker.violationCount, 0);
  assert.equal(checker.deadChecks, 0);
});

test('an acceptance sent after the 200 is a violation with its timeline', () => {
  const checker = new ConsistencyChecker();
  const token = checker.issue(0);
  const dead = { expiresAtMs: 1e6, revokeSentAtMs: 100, deadFromMs: 105 };
  checker.observe(token, logout(100, 200, dead));
  checker.observe(token, call(106, 401, dead));
  checker.observe(token, call(120, 200, dead));
  assert.equal(checker.deadChecks, 2);
  assert.equal(checker.violationCount, 1);
  assert.equal(checker.violations[0]?.rule, 'accepted after promise');
  assert.deepEqual(
    checker.violations[0]?.timeline.map(({ what }) => what),
    [
      'token issued',
      'logout sent',
      'logout answered 200',
      'protected sent',
      'protected answered 401',
      'protected sent',
      'protected answered 200',
    ],
  );
});

test('a token accepted again after a refusal is a violation even while its logout is pending', () => {
  const checker = new ConsistencyChecker();
  const token = checker.issue(0);
  const pending = { expiresAtMs: 1e6, revokeSentAtMs: 100, deadFromMs: 6000 };
  checker.observe(token, logout(100, 202, pending));
  checker.observe(token, call(110, 401, pending));
  checker.observe(token, call(130, 200, pending));
  assert.equal(checker.violations[0]?.rule, 'accepted after refusal');
});

test('an acceptance within the time a 202 asks for is none', () => {
  const checker = new ConsistencyChecker();
  const token = checker.issue(0);
  const pending = { expiresAtMs: 1e6, revokeSentAtMs: 100, deadFromMs: 6000 };
  checker.observe(token, logout(100, 202, pending));
  checker.observe(token, call(5000, 200, pending));
  assert.equal(checker.violationCount, 0);
});

test('checker and outcome agree on every history of one token', () => {
  const step = fc.record({
    task: fc.constantFrom('protected', 'logout'),
    status: fc.constantFrom(200, 202, 401, 503),
    pauseMs: fc.integer({ min: 0, max: 50 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const checker = new ConsistencyChecker();
      const serial = checker.issue(0);
      const token: { -readonly [Key in keyof TokenState]: TokenState[Key] } = { expiresAtMs: 1e6 };
      let nowMs = 0;
      let violations = 0;
      for (const { task, status, pauseMs } of steps) {
        const sentAtMs = nowMs + pauseMs;
        nowMs = sentAtMs + 5;
        if (task === 'logout') token.revokeSentAtMs ??= sentAtMs;
        const exchange = { task, status, sentAtMs, answeredAtMs: nowMs, token } as const;
        if (outcomeOf(exchange).isViolation === true) violations += 1;
        checker.observe(serial, exchange);
        if (task === 'logout' && status === 200) token.deadFromMs = Math.min(token.deadFromMs ?? nowMs, nowMs);
        if (task === 'logout' && status === 202) token.deadFromMs ??= nowMs + 60;
        if (task === 'protected' && status === 401 && token.revokeSentAtMs !== undefined) token.refusedAtMs ??= nowMs;
      }
      assert.equal(checker.violationCount, violations);
    }),
  );
});

test('a token that is let go is forgotten, and logging out twice revokes one token', () => {
  const checker = new ConsistencyChecker();
  const serial = checker.issue(0);
  const dead = { expiresAtMs: 1e6, revokeSentAtMs: 100, deadFromMs: 105 };
  checker.observe(serial, logout(100, 200, dead));
  checker.observe(serial, logout(200, 200, dead));
  assert.equal(checker.revokedTokens, 1);
  checker.release(serial);
  checker.observe(serial, call(300, 200, dead));
  assert.equal(checker.violationCount, 0);
});
