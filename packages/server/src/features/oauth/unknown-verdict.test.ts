/**
 * What is answered while this process cannot know.
 * @module
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { SignatureChecks } from '@catalytic/guard/signature-checks';
import { View } from '@catalytic/guard/view';
import type { AccountId, JournalId, SessionId, TenantId } from '@catalytic/protocol/ids';
import { issueAccessToken } from '../access-tokens/issue-access-token.ts';
import { Secret } from '../secrets/secret.ts';
import { createSigningKey } from '../signing-keys/create-signing-key.ts';
import { KeyRing } from '../signing-keys/key-ring.ts';
import type { StoredSigningKey } from '../signing-keys/store.ts';
import type { Client } from './check-client.ts';
import { introspectToken } from './introspect-token.ts';
import { revokeToken } from './revoke-token.ts';

const nowMs = 1_000_000;
const masterKey = new Secret(randomBytes(32));
const key = createSigningKey('ES256', masterKey, 0, 0);
const expectation = { issuer: 'https://issuer.example', audience: 'api' };
const grant = {
  tenantId: 'tenant' as TenantId,
  accountId: 'account' as AccountId,
  sessionId: 'session' as SessionId,
  ...{ roles: [], amr: ['pwd'], authenticatedAtMs: nowMs, accountEpoch: 0, tenantEpoch: 0 },
};
const by = { actor: 'self', address: null, requestId: null } as const;
const client: Client = { kind: 'admin key', id: 'k', tenantId: null };
const unavailable = { code: 'revocation_state_unavailable', retryAfterSeconds: 1 };

/** A process that holds these keys; it is current, or becomes so when it is waited for, or does not. */
const open = async (stored: readonly StoredSigningKey[], currency: 'now' | 'later' | 'never') => {
  let isCurrent = currency === 'now';
  const ended: string[] = [];
  const keyStore = {
    list: async () => stored,
    addFirst: async () => {},
    addSuccessor: async () => {},
    kill: async () => undefined,
  };
  const keys = new KeyRing(keyStore, masterKey);
  await keys.load(nowMs);
  const end = async (sessionId: string) => {
    ended.push(sessionId);
    return { entries: [], position: 1 } as never;
  };
  return {
    keys,
    signatureChecks: new SignatureChecks((header) => keys.find(header)),
    view: new View(),
    currency: {
      isCurrent: () => isCurrent,
      untilCurrent: async () => {
        isCurrent ||= currency === 'later';
        return isCurrent;
      },
    },
    expectation,
    nowMs: () => nowMs,
    ended,
    sessions: {
      findToken: async () => ({ grant, expiresAtMs: nowMs + 1000, isUsable: true }),
      end: ({ sessionId }: { readonly sessionId: string }) => end(sessionId),
      endByToken: () => end('of the refresh token'),
    } as never,
    barrier: { settle: async () => ({ propagation: 'complete' }) } as never,
  };
};

const mint = async (atMs = nowMs): Promise<string> =>
  issueAccessToken({ ...(await open([key], 'now')), ...expectation, accessTokenSeconds: 900 }, grant, atMs);

test('a process that is not current says of no genuine token that it is active, nor that it is not', async () => {
  const token = await mint();
  for (const each of [token, 'crt_x']) {
    await assert.rejects(introspectToken(await open([key], 'never'), client, each), unavailable);
    for (const currency of ['now', 'later'] as const)
      assert.equal((await introspectToken(await open([key], currency), client, each)).active, true, currency);
  }
  // It may not have loaded the key.
  await assert.rejects(introspectToken(await open([], 'never'), client, token), unavailable);
  assert.deepEqual(await introspectToken(await open([], 'later'), client, token), { active: false });
  assert.deepEqual(await introspectToken(await open([], 'never'), client, 'none'), { active: false });
});

test('a token of an unknown key is called revoked only by a process that is current', async () => {
  const token = await mint();
  const paused = await open([], 'never');
  await assert.rejects(revokeToken(paused, undefined, token, by), unavailable);
  assert.deepEqual(await revokeToken(await open([], 'later'), undefined, token, by), { propagation: 'complete' });
  // A genuine token ends its session whatever this process knows of others.
  const parts = await open([key], 'never');
  await revokeToken(parts, undefined, token, by);
  await revokeToken(parts, undefined, 'crt_x', by);
  assert.deepEqual(parts.ended, ['session', 'of the refresh token']);
});

test('an expired token still ends its session, and one of a killed key does not', async () => {
  const token = await mint(nowMs - 3_600_000);
  const parts = await open([key], 'now');
  assert.deepEqual(await introspectToken(parts, client, token), { active: false });
  await revokeToken(parts, undefined, token, by);
  assert.deepEqual(parts.ended, ['session']);
  parts.view.hear([{ id: 'entry' as JournalId, kind: 'key', key: key.kid, keepUntilMs: null }]);
  assert.deepEqual(await revokeToken(parts, undefined, token, by), { propagation: 'complete' });
  assert.deepEqual(parts.ended, ['session']);
});
