import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId, KeyId, SessionId, TenantId, TokenId } from '@catalytic/protocol/ids';
import type { Revocation } from '@catalytic/protocol/journal';
import { SessionSignals } from './session-signals.ts';
import type { SignedToken } from './signature-checks.ts';
import { View } from './view.ts';

const nowMs = 1_800_000_000_000;

const tokenOf = (name: string, account = 'account'): SignedToken =>
  ({
    claims: {
      jti: `token ${name}`,
      sid: `session ${name}`,
      sub: account,
      tid: 'tenant',
      exp: nowMs / 1000 + 900,
      aep: 0,
      tep: 0,
    },
    key: { kid: 'kid' },
  }) as unknown as SignedToken;

const open = (watchedMax?: number) => {
  const view = new View();
  const signals = new SessionSignals({
    isRevoked: ({ claims, key }) => view.isRevoked(claims, key.kid),
    wallMs: () => nowMs,
    ...(watchedMax !== undefined && { watchedMax }),
  });
  const take = (entry: Revocation): void => {
    const entries = [{ ...entry, keepUntilMs: null }];
    view.apply(entries);
    signals.notice(entries);
  };
  return { signals, take };
};

test('an entry ends the signals of the tokens that it names, and nothing of them is kept', () => {
  const { signals, take } = open();
  const [one, two, three] = [tokenOf('one'), tokenOf('two'), tokenOf('three', 'another')];
  const [first, second, third] = [signals.signalOf(one), signals.signalOf(two), signals.signalOf(three)];
  const aborted = (): readonly boolean[] => [first.aborted, second.aborted, third.aborted];
  take({ kind: 'session', key: 'session of nobody' as SessionId });
  assert.deepEqual(aborted(), [false, false, false]);
  take({ kind: 'token', key: 'token one' as TokenId });
  assert.deepEqual([aborted(), signals.size], [[true, false, false], 2]);
  take({ kind: 'account', key: 'account' as AccountId, epoch: 1 });
  assert.deepEqual([aborted(), signals.size], [[true, true, false], 1]);
  take({ kind: 'tenant', key: 'tenant' as TenantId, epoch: 1 });
  assert.deepEqual([aborted(), signals.size], [[true, true, true], 0]);
});

test('a killed key ends the signals of all its tokens', () => {
  const { signals, take } = open();
  const signal = signals.signalOf(tokenOf('one'));
  take({ kind: 'key', key: 'kid' as KeyId });
  assert.deepEqual([signal.aborted, signals.size], [true, 0]);
});

test('beyond the most tokens that are watched, a signal is aborted from the beginning', () => {
  const { signals } = open(2);
  assert.deepEqual(
    ['one', 'two', 'three', 'one'].map((name) => signals.signalOf(tokenOf(name)).aborted),
    [false, false, true, false],
  );
  signals.stop();
  assert.equal(signals.size, 0);
});
