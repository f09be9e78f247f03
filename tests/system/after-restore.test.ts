import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { get, logOut, refresh, signIn, signUp } from '../harness/client.ts';
import { folderIn, runCatalytic, serviceOn } from '../harness/service.ts';

test('after a restored backup nothing that was revoked since is accepted again, and everybody signs in once', async (t) => {
  const dataDir = folderIn(t);
  const backup = join(folderIn(t), 'backup');
  const settings = { DATA_DIR: dataDir, ISSUER: 'https://auth.example.com' };

  const first = await serviceOn(t, dataDir, settings);
  const revokedLater = await signUp(first.url, 'ada@example.com');
  const kept = await signIn(first.url, 'ada@example.com');
  await first.end();
  cpSync(dataDir, backup, { recursive: true });

  const second = await serviceOn(t, dataDir, settings);
  assert.equal((await logOut(second.url, revokedLater.access)).status, 200);
  const refused = await runCatalytic(['after-restore'], settings);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /stop every process/);
  await second.end();
  rmSync(dataDir, { recursive: true });
  cpSync(backup, dataDir, { recursive: true });

  const ran = await runCatalytic(['after-restore'], settings);
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /2 sessions ended, 1 signing key killed/);

  const third = await serviceOn(t, dataDir, settings);
  for (const { access, refresh: refreshToken } of [revokedLater, kept]) {
    assert.equal((await get(`${third.url}/auth/verify`, access)).status, 401);
    assert.equal((await refresh(third.url, refreshToken)).status, 401);
  }
  const fresh = await signIn(third.url, 'ada@example.com');
  assert.equal((await get(`${third.url}/auth/verify`, fresh.access)).status, 200);
});
