/** Contract of the port of signing keys. @module */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyId } from '@catalytic/protocol/ids';
import { keepUntilMs } from '@catalytic/protocol/journal';
import { by, type OpenEngine } from '../engine.contract.ts';
import type { StoredSigningKey } from './store.ts';

const keyOf = (kid: string, activatesAtMs: number): StoredSigningKey => ({
  kid: kid as KeyId,
  algorithm: 'ES256',
  publicJwk: `{"kid":"${kid}"}`,
  privateBox: new TextEncoder().encode(`box of ${kid}`),
  createdAtMs: 1000,
  activatesAtMs,
  retiresAtMs: null,
});

/** Registers the suite for one engine. */
export const signingKeyStoreContract = (engineName: string, open: OpenEngine): void => {
  test(`${engineName}: of many first keys at once exactly one stays`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    await Promise.all(
      Array.from({ length: 10 }, (_, index) => engine.signingKeys.addFirst({ key: keyOf(`k${index}`, 1000), by })),
    );
    const stored = await engine.signingKeys.list();
    assert.equal(stored.length, 1);
    assert.deepEqual(Buffer.from(stored[0]?.privateBox ?? []), Buffer.from(`box of ${stored[0]?.kid}`));
  });

  test(`${engineName}: a successor lets its predecessor retire once the last token it signed has expired`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    await engine.journal.raiseTokenSecondsMax(900);
    await engine.signingKeys.addFirst({ key: keyOf('k0', 1000), by });
    await engine.signingKeys.addSuccessor({ key: keyOf('k1', 50_000), by });
    await engine.signingKeys.addSuccessor({ key: keyOf('k2', 90_000), by });
    assert.deepEqual(
      (await engine.signingKeys.list()).map(({ kid, retiresAtMs }) => [kid, retiresAtMs]),
      [
        ['k0', keepUntilMs(50_000, 900)],
        ['k1', keepUntilMs(90_000, 900)],
        ['k2', null],
      ],
    );
  });
};
