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

const observe = (checker: ConsistencyChecker, serial: number, exchange: Exchange): void =>
  checker.observe(serial, exchange, outcomeOf(exchange));

test('a call that overlaps the logout may go either way', () => {
  const checker = new ConsistencyChecker();
  const token = checker.issue(0);
  observe(checker, token, logout(100, 200, { expiresAtMs: 1e6, revokeSentAtMs: 100, deadFromMs: 105 }));
  observe(checker, token, call(104, 200, { expiresAtMs: 1e6, revokeSentAtMs: 100, deadFromMs: 105 }));
  assert.equal(checker.violationCount, 0);
  assert.equal(checker.deadChecks, 0);
});

test('an acceptance sent after the 200 is a violation with its timeline', () => {
  const checker = new ConsistencyChecker();
  const token = checker.issue(0);
  const dead = { expiresAtMs: 1e6, revokeSentAtMs: 100, deadFromMs: 105 };
  observe(checker, token, logout(100, 200, dead));
  observe(checker, token, call(106, 401, dead));
  observe(checker, token, call(120, 200, dead));
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

test('while a 202 is pending one worker may accept what another has refused; nothing is judged before its time is over', () => {
  const checker = new ConsistencyChecker();
  const token = checker.issue(0);
  const pending = { expiresAtMs: 1e6, revokeSentAtMs: 100, deadFromMs: 6000, refusedAtMs: new Map([['w1', 115]]) };
  observe(checker, token, logout(100, 202, pending));
  observe(checker, token, { ...call(110, 401, pending), worker: 'w1' });
  observe(checker, token, { ...call(130, 200, pending), worker: 'w2' });
  observe(checker, token, { ...call(140, 200, pending), worker: 'w1' });
  assert.equal(checker.violationCount, 0);
  observe(checker, token, { ...call(6000, 200, pending), worker: 'w2' });
  assert.deepEqual(
    checker.violations.map(({ rule }) => rule),
    ['accepted after promise'],
  );
  assert.deepEqual(checker.violations[0]?.timeline.at(-1), {
    atMs: 6005,
    what: 'protected answered 200',
    worker: 'w2',
  });
});

test('without a promise a worker that has refused must not accept again; another may', () => {
  const checker = new ConsistencyChecker();
  const token = checker.issue(0);
  const unsure = { expiresAtMs: 1e6, revokeSentAtMs: 100, refusedAtMs: new Map([['w1', 115]]) };
  observe(checker, token, logout(100, 503, unsure));
  observe(checker, token, { ...call(130, 200, unsure), worker: 'w2' });
  observe(checker, token, call(130, 200, unsure));
  assert.equal(checker.violationCount, 0);
  observe(checker, token, { ...call(140, 200, unsure), worker: 'w1' });
  assert.equal(checker.violations[0]?.rule, 'accepted after refusal');
});

test('a refresh token has one successor, however often it is replayed', () => {
  const checker = new ConsistencyChecker();
  const [one, other] = [checker.issue(0), checker.issue(0)];
  checker.observeSuccessor(one, 'r0', 'r1');
  checker.observeSuccessor(one, 'r0', 'r1');
  checker.observeSuccessor(one, 'r1', 'r2');
  checker.observeSuccessor(other, 's0', 's1');
  assert.equal(checker.violationCount, 0);
  assert.equal(checker.rotations, 4);
  checker.observeSuccessor(one, 'r1', 'r3', true);
  checker.observeSuccessor(one, 'r1', 'r3');
  assert.equal(checker.violations.length, 0, 'after the grace it may be another one, which is the one from then on');
  checker.observeSuccessor(one, 'r0', 'r9');
  assert.equal(checker.violations[0]?.rule, 'two successors of one refresh token');
});

test('a long history keeps its logout', () => {
  const checker = new ConsistencyChecker();
  const token = checker.issue(0);
  const dead = { expiresAtMs: 1e6, revokeSentAtMs: 100, deadFromMs: 105 };
  observe(checker, token, logout(100, 200, dead));
  for (let at = 110; at < 3000; at += 10) observe(checker, token, call(at, 401, dead));
  observe(checker, token, call(3000, 200, dead));
  const [violation] = checker.violations;
  assert.ok((violation?.timeline.length ?? 0) <= 66);
  assert.ok(violation?.timeline.some(({ what }) => what === 'logout answered 200'));
});

test('an acceptance within the time a 202 asks for is none', () => {
  const checker = new ConsistencyChecker();
  const token = checker.issue(0);
  const pending = { expiresAtMs: 1e6, revokeSentAtMs: 100, deadFromMs: 6000 };
  observe(checker, token, logout(100, 202, pending));
  observe(checker, token, call(5000, 200, pending));
  assert.equal(checker.violationCount, 0);
});

test('of every history of one token the checker finds what a plain reading of the promise finds', () => {
  const step = fc.record({
    task: fc.constantFrom('protected', 'verify', 'logout'),
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
        if (task !== 'logout' && status === 200 && (token.deadFromMs ?? 1e6) <= sentAtMs) violations += 1;
        observe(checker, serial, { task, status, sentAtMs, answeredAtMs: nowMs, token });
        if (task === 'logout' && status === 200) token.deadFromMs = Math.min(token.deadFromMs ?? nowMs, nowMs);
        if (task === 'logout' && status === 202) token.deadFromMs ??= nowMs + 60;
      }
      assert.equal(checker.violationCount, violations);
    }),
  );
});

test('a token that is let go is forgotten, and logging out twice revokes one token', () => {
  const checker = new ConsistencyChecker();
  const serial = checker.issue(0);
  const dead = { expiresAtMs: 1e6, revokeSentAtMs: 100, deadFromMs: 105 };
  observe(checker, serial, logout(100, 200, dead));
  observe(checker, serial, logout(200, 200, dead));
  assert.equal(checker.revokedTokens, 1);
  checker.release(serial);
  observe(checker, serial, call(300, 200, dead));
  assert.equal(checker.violationCount, 0);
});
