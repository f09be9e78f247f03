/** Contract of the port of signing keys. @module */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyId } from '@catalytic/protocol/ids';
import { keepUntilMs } from '@catalytic/protocol/journal';
import { by, type OpenEngine, readJournal } from '../engine.contract.ts';
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

  test(`${engineName}: a killed key is gone and journalled for ever, also when it is killed again`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    await engine.signingKeys.addFirst({ key: keyOf('k0', 1000), by });
    const kill = (kid: string, replacement: string, nowMs = 2000) =>
      engine.signingKeys.kill({ kid: kid as KeyId, replacement: keyOf(replacement, nowMs), nowMs, by });
    assert.equal(await kill('none', 'x'), undefined);
    const both = await Promise.all([kill('k0', 'r1'), kill('k0', 'r2')]);
    const again = await kill('k0', 'r3');
    const entries = [...both, again].flatMap((recorded) => recorded?.entries ?? []);
    assert.deepEqual(
      entries.map((entry) => [entry.kind, entry.key, entry.keepUntilMs]),
      Array(3).fill(['key', 'k0', null]),
    );
    assert.deepEqual(await readJournal(engine), entries.slice(2), 'a repeat adds no row');
    const [replacement, ...more] = await engine.signingKeys.list();
    assert.ok(['r1', 'r2'].includes(String(replacement?.kid)), 'replaced once');
    assert.deepEqual(more, []);
    const { rows } = await engine.audit.list({ event: 'authz_admin' }, 10);
    assert.deepEqual(rows.map(({ reason, subject }) => `${reason} ${subject}`).sort(), [
      'signing_key_created k0',
      'signing_key_killed k0',
      `signing_key_rotated ${replacement?.kid}`,
    ]);
  });

  test(`${engineName}: a killed key is replaced only where nothing else would sign`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const kill = (kid: string, nowMs: number) =>
      engine.signingKeys.kill({ kid: kid as KeyId, replacement: keyOf(`for ${kid}`, nowMs), nowMs, by });
    const kids = async () => (await engine.signingKeys.list()).map(({ kid }) => kid).sort();
    await engine.signingKeys.addFirst({ key: keyOf('k0', 1000), by });
    await engine.signingKeys.addSuccessor({ key: keyOf('k1', 50_000), by });
    await kill('k0', 60_000);
    assert.deepEqual(await kids(), ['k1'], 'the successor signs');
    await engine.signingKeys.addSuccessor({ key: keyOf('k2', 90_000), by });
    await kill('k1', 70_000);
    assert.deepEqual(await kids(), ['for k1', 'k2'], 'the successor does not sign yet');
    await kill('k2', 80_000);
    assert.deepEqual(await kids(), ['for k1', 'for k2'], 'the newest key is replaced in any case');
  });
};
