/**
 * Keys that an operator can take back: admin keys, the key of the lab, and signing keys.
 * @module
 */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { importLines, readLabKey } from '../harness/accounts.ts';
import { addAdminKey } from '../harness/admin-key.ts';
import { get, goodPassword, logOut, post, refresh, remove, signUp, tokensOf } from '../harness/client.ts';
import { rowsOf, withDatabase } from '../harness/database.ts';
import { decodeSegment } from '../harness/forge.ts';
import { assertProblem } from '../harness/problems.ts';
import { folderIn, runCatalytic, serviceIn, serviceOn } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

const { url, dataDir } = await serviceIn({ after });

type Key = Readonly<Record<string, unknown>>;

const cli = async (...args: string[]): Promise<Key> => {
  const { code, stdout, stderr } = await runCatalytic([...args, '--json'], { DATA_DIR: dataDir });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Key;
};

const create = async (...args: string[]): Promise<{ readonly key: string; readonly id: string }> => {
  const { stdout, stderr } = await runCatalytic(['admin-keys', 'create', ...args], { DATA_DIR: dataDir });
  return { key: stdout.trim(), id: /Admin key ([0-9a-f]{12})/.exec(stderr)?.[1] ?? '' };
};

const listed = (answer: Key): readonly Key[] => answer['admin_keys'] as readonly Key[];

test('an operator lists the admin keys with their last use, and revokes one, at once and for good', async () => {
  const made = await create('--scope', 'tenants:read', '--description', 'nightly report');
  const keyOf = async () => listed(await cli('admin-keys', 'list')).find(({ id }) => id === made.id);
  assert.deepEqual(
    { ...(await keyOf()), created_at: 0 },
    {
      ...{ id: made.id, description: 'nightly report', scopes: ['tenants:read'], tenant_id: null, created_at: 0 },
      ...{ expires_at: null, last_used_at: null },
    },
  );
  for (let use = 0; use < 3; use++) assert.equal((await get(`${url}/admin/tenants`, made.key)).status, 200);
  const lastUsed = Date.parse(String((await keyOf())?.['last_used_at']));
  assert.ok(Math.abs(Date.now() - lastUsed) < 60_000);
  withDatabase(dataDir, (database) =>
    database.exec(`update admin_key set last_used_at = ${lastUsed - 20_000} where description = 'nightly report'`),
  );
  await get(`${url}/admin/tenants`, made.key);
  assert.equal(Date.parse(String((await keyOf())?.['last_used_at'])), lastUsed - 20_000, 'once a minute at most');

  assert.deepEqual(await cli('admin-keys', 'revoke', made.id), { id: made.id, revoked: true });
  assertProblem(await get(`${url}/admin/tenants`, made.key), 'admin_key_invalid');
  const again = await runCatalytic(['admin-keys', 'revoke', made.id], { DATA_DIR: dataDir });
  assert.equal(again.code, 1);
  assert.match(again.stderr, /no admin key with this id/);
  const [row] = rowsOf(dataDir, "select * from audit where reason = 'admin_key' and event = 'authn_token_revoked'");
  assert.deepEqual([row?.['subject'], row?.['actor']], [made.id, 'cli']);
});

test('an admin key with an end works until then', async () => {
  const made = await create('--scope', 'tenants:read', '--expires', '12h');
  assert.equal((await get(`${url}/admin/tenants`, made.key)).status, 200);
  const [row] = listed(await cli('admin-keys', 'list')).filter(({ id }) => id === made.id);
  const left = Date.parse(String(row?.['expires_at'])) - Date.now();
  assert.ok(left > 11.9 * 3_600_000 && left <= 12 * 3_600_000);
  withDatabase(dataDir, (database) =>
    database.exec(`update admin_key set expires_at = ${Date.now() - 1} where expires_at > 0`),
  );
  assertProblem(await get(`${url}/admin/tenants`, made.key), 'admin_key_expired');
  for (const expires of ['0d', '1w', 'tomorrow', '-1d'])
    assert.equal(
      (await runCatalytic(['admin-keys', 'create', '--expires', expires], { DATA_DIR: dataDir })).code,
      2,
      expires,
    );
});

test('over HTTP a key sees and revokes what its scopes and its tenant allow', async () => {
  await cli('tenants', 'create', 'acme');
  const all = addAdminKey(dataDir, ['admin-keys:read', 'admin-keys:write']);
  const bound = addAdminKey(dataDir, ['admin-keys:read', 'admin-keys:write'], 'acme');
  const other = addAdminKey(dataDir, ['tenants:read'], 'acme');
  const none = addAdminKey(dataDir, ['tenants:read']);
  assertProblem(await get(`${url}/admin/admin-keys`, none), 'admin_scope_insufficient');
  const everything = listed((await get(`${url}/admin/admin-keys`, all)).body);
  const own = listed((await get(`${url}/admin/admin-keys`, bound)).body);
  assert.equal(own.length, 2);
  assert.ok(everything.length > own.length);
  const foreign = everything.filter(({ id }) => !own.some((key) => key['id'] === id));
  for (const { id } of foreign)
    assertProblem(await remove(`${url}/admin/admin-keys/${id}`, bound), 'admin_key_not_found');
  assertProblem(await remove(`${url}/admin/admin-keys/nonsense`, all), 'body_invalid');
  for (const { id } of own) assert.equal((await remove(`${url}/admin/admin-keys/${id}`, all)).status, 200);
  for (const key of [bound, other]) assertProblem(await get(`${url}/admin/tenants`, key), 'admin_key_invalid');
  assert.equal((await get(`${url}/admin/tenants`, none)).status, 200);
  assert.doesNotMatch(JSON.stringify(everything), /cak_|hash/);
});

test('a lab key stops working when its file is deleted or replaced', async (t) => {
  const folder = folderIn(t);
  const start = () => serviceOn(t, folder);
  const first = await start();
  const key = readLabKey(folder);
  assert.equal((await importLines(first.url, key, '')).status, 200);
  await first.end();
  rmSync(join(folder, 'lab.key'));
  const second = await start();
  const next = readLabKey(folder);
  assert.notEqual(next, key);
  assertProblem(await importLines(second.url, key, ''), 'admin_key_invalid');
  assert.equal((await importLines(second.url, next, '')).status, 200);
  await second.end();
  writeFileSync(join(folder, 'lab.key'), 'cak_of_somebody_else');
  const third = await start();
  assertProblem(await importLines(third.url, next, ''), 'admin_key_invalid');
  assert.equal((await importLines(third.url, readFileSync(join(folder, 'lab.key'), 'utf8').trim(), '')).status, 200);
});

test('a killed signing key takes its tokens along at once, and its sessions go on under another', async () => {
  const kidOf = (token: string) => String(decodeSegment(token, 0)['kid']);
  const admin = addAdminKey(dataDir, ['signing-keys:write']);
  let session = await signUp(url, 'killed@example.com');
  for (const kill of [
    async (kid: string) => (await post(`${url}/admin/signing-keys/${kid}/kill`, undefined, admin)).body,
    async (kid: string) => cli('keys', 'kill', kid),
  ]) {
    const kid = kidOf(session.access);
    const killed = await kill(kid);
    assert.deepEqual([killed['revoked'], killed['propagation']], [true, 'complete']);
    assert.equal((await get(`${url}/auth/verify`, session.access)).status, 401);
    assertProblem(await logOut(url, session.access), 'token_key_unknown');
    await waitUntil('the service', 'sign again', 5000, async () => {
      const answer = await refresh(url, session.refresh);
      if (answer.status !== 200) assertProblem(answer, 'signing_key_unavailable');
      else session = tokensOf(answer);
      return answer.status === 200;
    });
    assert.notEqual(kidOf(session.access), kid);
    assert.equal((await get(`${url}/auth/verify`, session.access)).status, 200);
    const { keys } = (await get(`${url}/.well-known/jwks.json`)).body as { readonly keys: readonly Key[] };
    assert.ok(!keys.some((key) => key['kid'] === kid));
  }
  assertProblem(
    await post(`${url}/admin/signing-keys/${'A'.repeat(43)}/kill`, undefined, admin),
    'signing_key_not_found',
  );
  const bound = addAdminKey(dataDir, ['signing-keys:write'], 'acme');
  assertProblem(
    await post(`${url}/admin/signing-keys/${kidOf(session.access)}/kill`, undefined, bound),
    'admin_scope_insufficient',
  );
  assert.equal((await post(`${url}/auth/login`, { email: 'killed@example.com', password: goodPassword })).status, 200);
});
