import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paths } from '@catalytic/protocol/paths';
import { ConsistencyChecker } from '../measures/consistency.ts';
import { Recorder } from '../measures/recorder.ts';
import type { Reply } from '../targets/connection.ts';
import { VirtualUser } from './virtual-user.ts';

/** An answer, or none; and how long it takes. */
type Answer = { readonly takesMs: number; readonly status?: number; readonly body?: unknown };

const pair = (number: number): unknown => ({
  access_token: `access${number}`,
  refresh_token: `refresh${number}`,
  expires_in: 900,
});

/** A user whose target gives these answers one after the other. */
const userOf = (answers: readonly Answer[]) => {
  let nowMs = 0;
  const left = [...answers];
  const send = async (): Promise<Reply> => {
    const answer = left.shift();
    assert.ok(answer, 'the user asks more often than the test has answers');
    const sentAtMs = nowMs;
    nowMs += answer.takesMs;
    const times = { sentAtMs, firstByteAtMs: nowMs, endedAtMs: nowMs };
    if (answer.status === undefined) return { failure: 'no answer in time', ...times };
    const text = JSON.stringify(answer.body);
    return { status: answer.status, text, bytes: text.length, isTruncated: false, head: '', ...times };
  };
  const recorder = new Recorder();
  const user = new VirtualUser({
    connection: { send },
    credentials: { email: 'ada@example.com', password: 'correct horse battery staple' },
    hasAccount: true,
    measures: { recorder, checker: new ConsistencyChecker(), nowMs: () => nowMs },
  });
  /** Failures so far: of refreshes, lost answers included, and of calls. */
  const refusals = (): readonly number[] =>
    [paths.refresh, paths.protectedSample].map(
      (path) => [...recorder.whole.endpoints.values()].find(({ name }) => name === path)?.real ?? 0,
    );
  return { user, refusals };
};

const login: Answer = { takesMs: 20, status: 200, body: pair(0) };
const lost: Answer = { takesMs: 6000 };
const reused: Answer = { takesMs: 20, status: 401, body: { code: 'refresh_reused' } };
const revoked: Answer = { takesMs: 20, status: 401, body: { code: 'token_revoked' } };

test('a refresh asked again after a lost answer may be refused once the grace is over, and the session be dead', async () => {
  const { user, refusals } = userOf([login, { takesMs: 10_001 }, reused, revoked]);
  await user.login();
  await user.refresh();
  await user.refresh();
  await user.callProtected();
  assert.deepEqual(refusals(), [1, 0], 'only the lost answer is a failure');
});

test('within the grace it may not', async () => {
  const { user, refusals } = userOf([login, { takesMs: 9000 }, reused]);
  await user.login();
  await user.refresh();
  await user.refresh();
  assert.deepEqual(refusals(), [2, 0]);
});

test('two lost answers further apart than the grace leave open whether the session lives', async () => {
  const { user, refusals } = userOf([login, lost, lost, revoked]);
  await user.login();
  await user.refresh();
  await user.refresh();
  await user.callProtected();
  assert.deepEqual(refusals(), [2, 0]);
});

test('one lost answer leaves the session alive, however late it is', async () => {
  const { user, refusals } = userOf([login, { takesMs: 30_000 }, revoked]);
  await user.login();
  await user.refresh();
  await user.callProtected();
  assert.deepEqual(refusals(), [1, 1]);
});

test('a replay made on purpose is taken for theft only after the grace', async () => {
  for (const [takesMs, failures] of [
    [9000, 1],
    [10_001, 0],
  ] as const) {
    const trades = Array.from({ length: 10 }, (_, index) => ({ takesMs: 20, status: 200, body: pair(index + 1) }));
    const { user, refusals } = userOf([login, ...trades, { ...reused, takesMs }]);
    await user.login();
    for (let trade = 0; trade < trades.length; trade++) await user.refresh();
    assert.deepEqual(refusals(), [failures, 0], `answered after ${takesMs} ms`);
  }
});
