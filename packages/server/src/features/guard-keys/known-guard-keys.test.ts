import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CatalyticError } from '@catalytic/protocol/errors';
import type { Origin } from '../audit/store.ts';
import { tokenHash } from '../secrets/random-token.ts';
import { checkGuardKey } from './check-guard-key.ts';
import { GuardKeys } from './known-guard-keys.ts';
import type { KnownGuardKey } from './store.ts';

/** A process, and the keys of the deployment by their secrets. */
const start = () => {
  const stored = new Map<string, KnownGuardKey>();
  const asked: string[] = [];
  const uses: number[] = [];
  const refused: unknown[] = [];
  const clock = { nowMs: 1_000_000 };
  const guardKeys = new GuardKeys({
    findByHash: async (hash) => {
      const [secret, key] = [...stored].find(([text]) => tokenHash(text).equals(hash)) ?? ['unknown'];
      asked.push(secret);
      return key;
    },
    noteUse: async ({ nowMs }) => void uses.push(nowMs),
  });
  const auditSink = { add: ({ reason }: { readonly reason: unknown }) => void refused.push(reason) };
  const by = (): Origin => ({ actor: 'self', address: null, requestId: null });
  return {
    stored,
    asked,
    uses,
    refused,
    clock,
    guardKeys,
    check: (secret: string) => checkGuardKey({ guardKeys, auditSink, nowMs: () => clock.nowMs }, secret, by),
    codeOf: async (secret: string): Promise<string> => {
      try {
        await checkGuardKey({ guardKeys, auditSink, nowMs: () => clock.nowMs }, secret, by);
        return 'accepted';
      } catch (error) {
        return (error as CatalyticError).code;
      }
    },
  };
};

const key = (id: string, expiresAtMs: number | null = null): KnownGuardKey => ({
  id,
  tenantId: null,
  guardsMax: 10,
  expiresAtMs,
  lastUsedAtMs: null,
});

test('the store is asked for a key once, until keys of the deployment have changed', async () => {
  const { stored, asked, guardKeys, check, codeOf } = start();
  stored.set('one', key('1'));
  guardKeys.revisionIs(7);
  const [first, second] = [check('one'), check('one')];
  assert.deepEqual([await first, await second], [key('1'), key('1')]);
  guardKeys.revisionIs(7);
  const known = check('one');
  assert.ok(!(known instanceof Promise));
  assert.equal(known.id, '1');
  assert.deepEqual(asked, ['one']);
  stored.delete('one');
  guardKeys.revisionIs(8);
  assert.equal(await codeOf('one'), 'guard_key_invalid');
});

test('what the store answered before a change of keys is not remembered after it', async () => {
  const { stored, guardKeys, check, codeOf } = start();
  stored.set('one', key('1'));
  guardKeys.revisionIs(1);
  const asking = check('one');
  stored.delete('one');
  guardKeys.revisionIs(2);
  await asking;
  assert.equal(await codeOf('one'), 'guard_key_invalid');
});

test('a remembered key ends at its time, and an unknown one is asked for each time', async () => {
  const { stored, asked, refused, clock, codeOf } = start();
  stored.set('one', key('1', clock.nowMs + 1000));
  assert.equal(await codeOf('one'), 'accepted');
  clock.nowMs += 1000;
  assert.equal(await codeOf('one'), 'guard_key_expired');
  for (let time = 0; time < 2; time++) assert.equal(await codeOf('none'), 'guard_key_invalid');
  assert.deepEqual(asked, ['one', 'unknown', 'unknown']);
  assert.deepEqual(refused, ['guard_key_expired', 'guard_key_invalid', 'guard_key_invalid']);
});

test('the use of a key is recorded once a minute at most', async () => {
  const { stored, uses, clock, codeOf } = start();
  stored.set('one', key('1'));
  for (const nowMs of [100_000, 100_001, 159_999, 160_000, 160_001]) {
    clock.nowMs = nowMs;
    await codeOf('one');
  }
  assert.deepEqual(uses, [100_000, 160_000]);
});

test('a bounded number of keys is remembered', async () => {
  const { stored, asked, codeOf } = start();
  for (let index = 0; index <= 1000; index++) stored.set(`key ${index}`, key(`${index}`));
  for (const secret of stored.keys()) await codeOf(secret);
  asked.length = 0;
  for (const secret of ['key 1000', 'key 0', 'key 2']) await codeOf(secret);
  assert.deepEqual(asked, ['key 0']);
});
