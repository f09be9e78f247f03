import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { KeyId } from '@catalytic/protocol/ids';
import { by } from '../../features/engine.contract.ts';
import { databasePath } from './database.ts';
import { examineDatabase, glanceAtDatabase } from './examine-database.ts';
import { openSqliteStores } from './stores.ts';
import { leaveTrace } from './trace-of-service.ts';

const pageBytes = 4096;

/** A folder with a database of some pages, closed in order. */
const usedFolder = async (t: { after(clean: () => void): void }): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'catalytic-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const stores = openSqliteStores(folder, (error) => {
    throw error;
  });
  const tenant = await stores.tenants.ensure({ name: 'default', nowMs: 1, by });
  const key = {
    kid: 'k' as KeyId,
    algorithm: 'ES256',
    publicJwk: '{}',
    privateBox: new Uint8Array(60),
    createdAtMs: 1,
    activatesAtMs: 1,
    retiresAtMs: null,
  };
  await stores.signingKeys.addFirst({ key, by });
  const account = (name: string) => ({ email: name, emailKey: name, passwordHash: 'h'.repeat(97), roles: [] });
  const create = (it: ReturnType<typeof account>) =>
    stores.accounts.create({ tenantId: tenant.id, account: it, nowMs: 1, by });
  await Promise.all(Array.from({ length: 200 }, (_, index) => create(account(`a${index}@example.com`))));
  await stores.close();
  return folder;
};

test('a sound database is described', async (t) => {
  const folder = await usedFolder(t);
  const { accounts, sessions, generation, signingKeys } = examineDatabase(databasePath(folder));
  assert.deepEqual({ accounts, sessions, generation }, { accounts: 200, sessions: 0, generation: 1 });
  assert.deepEqual(
    [signingKeys, glanceAtDatabase(folder)].map((keys) => keys?.map(({ kid }) => kid)),
    [['k'], ['k']],
  );
});

test('any page that is overwritten is noticed, as is a missing end', async (t) => {
  const folder = await usedFolder(t);
  const path = databasePath(folder);
  const sound = readFileSync(path);
  const pages = sound.length / pageBytes;
  assert.ok(pages > 20, `${pages} pages`);
  for (let page = 0; page < pages; page += 1) {
    const damaged = Buffer.from(sound);
    damaged.fill(0xff, page * pageBytes, (page + 1) * pageBytes);
    writeFileSync(path, damaged);
    assert.throws(() => glanceAtDatabase(folder), /catalytic restore/, `page ${page + 1}`);
    assert.throws(() => examineDatabase(path), /damaged/, `page ${page + 1}`);
  }
  writeFileSync(path, sound);
  truncateSync(path, sound.length - pageBytes);
  assert.throws(() => glanceAtDatabase(folder), /damaged/);
  writeFileSync(path, 'not a database, but long enough to be looked at as one'.repeat(100));
  assert.throws(() => glanceAtDatabase(folder), /damaged/);
});

/** What a service leaves in its folder, by version. */
const traces: readonly (readonly [version: string, leave: (folder: string) => void])[] = [
  ['this version', leaveTrace],
  ['version 0.1', (folder) => appendFileSync(join(folder, 'lab.key'), 'of a first start')],
];
for (const [version, leave] of traces)
  test(`a database that a service of ${version} served and that is gone or empty is not made anew`, async (t) => {
    const folder = await usedFolder(t);
    const open = () => openSqliteStores(folder, () => {});
    leave(folder);
    truncateSync(databasePath(folder), 0);
    assert.throws(open, /is empty.*catalytic restore.*DATABASE_URL/);
    rmSync(databasePath(folder));
    assert.throws(open, /is gone.*catalytic restore/);
  });
