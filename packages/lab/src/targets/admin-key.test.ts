import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findAdminKey, labKeyFile } from './admin-key.ts';

const folder = mkdtempSync(join(tmpdir(), 'catalytic-lab-key-'));
const startFolder = process.cwd();
process.chdir(folder);
after(() => {
  process.chdir(startFolder);
  rmSync(folder, { recursive: true });
});
mkdirSync('data');
writeFileSync(labKeyFile, 'lab-key\n');
writeFileSync('other.key', 'other-key\n');

const nothingGiven = { key: undefined, file: undefined };

test('the key that lies ready is used on this machine and never sent to another', () => {
  for (const target of ['http://127.0.0.1:8000', 'http://127.1.2.3', 'http://localhost:1', 'http://[::1]:8000'])
    assert.deepEqual(findAdminKey(target, nothingGiven), { value: 'lab-key' });
  for (const target of ['http://127.0.0.1.example.com', 'https://auth.example.com', 'http://10.0.0.1:8000'])
    assert.ok('missing' in findAdminKey(target, nothingGiven), target);
});

test('a key that is named goes wherever it is sent; the key itself wins over a file', () => {
  const target = 'https://auth.example.com';
  assert.deepEqual(findAdminKey(target, { key: undefined, file: 'other.key' }), { value: 'other-key' });
  assert.deepEqual(findAdminKey(target, { key: 'given', file: 'other.key' }), { value: 'given' });
});

test('a file that is not there is named', () => {
  const found = findAdminKey('http://127.0.0.1:8000', { key: undefined, file: 'gone.key' });
  assert.deepEqual(found, { missing: 'there is no admin key at gone.key' });
});

test('where no key lies ready, the option of the service that leaves one is named', () => {
  rmSync(labKeyFile);
  const found = findAdminKey('http://127.0.0.1:8000', nothingGiven);
  assert.match('missing' in found ? found.missing : '', /data\/lab\.key; "npm start -- --lab"/);
});
