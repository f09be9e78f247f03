/**
 * Guard keys: made, listed and revoked on the command line and over HTTP.
 * @module
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { addAdminKey } from '../harness/admin-key.ts';
import { get, post, remove } from '../harness/client.ts';
import { rowsOf, withDatabase } from '../harness/database.ts';
import { assertProblem } from '../harness/problems.ts';
import { runCatalytic, serviceIn } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

const { url, dataDir } = await serviceIn({ after });
const route = `${url}/admin/guard-keys`;

type Key = Readonly<Record<string, unknown>>;

const cli = async (...args: string[]): Promise<Key> => {
  const { code, stdout, stderr } = await runCatalytic(['guard-keys', ...args, '--json'], { DATA_DIR: dataDir });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Key;
};

const listed = ({ guard_keys }: Key): readonly Key[] => guard_keys as readonly Key[];

const auditOf = (id: unknown): readonly unknown[] =>
  rowsOf(
    dataDir,
    "select event, actor from audit where reason = 'guard_key' and subject = ? order by pos",
    String(id),
  ).map(({ event, actor }) => `${event} ${actor}`);

test('an operator makes, lists and revokes a guard key; its guards are marked as leaving', async () => {
  const plain = await runCatalytic(['guard-keys', 'create'], { DATA_DIR: dataDir });
  assert.match(plain.stdout, /^cgk_[\w-]{43}\n$/, 'nothing but the key, for scripts');
  assert.match(plain.stderr, /Guard key [0-9a-f]{12}/);
  const { key, created_at, expires_at, ...made } = await cli(
    ...['create', '--description', 'todo API', '--expires', '12h', '--guards-max', '7', '--tenant', 'acme'],
  );
  const [tenant] = rowsOf(dataDir, "select id from tenant where name = 'acme'");
  assert.deepEqual(made, {
    id: made['id'],
    description: 'todo API',
    tenant_id: tenant?.['id'],
    guards_max: 7,
    last_used_at: null,
  });
  const left = Date.parse(String(expires_at)) - Date.now();
  assert.ok(left > 11.9 * 3_600_000 && left <= 12 * 3_600_000);
  const keys = listed(await cli('list'));
  assert.equal(keys.length, 2);
  assert.deepEqual(
    keys.find(({ id }) => id === made['id']),
    { ...made, created_at, expires_at },
  );
  assert.doesNotMatch(JSON.stringify(keys), /cgk_|hash/);
  assert.doesNotMatch(JSON.stringify(rowsOf(dataDir, 'select * from guard_key')), new RegExp(String(key)));

  const guard = randomUUID();
  withDatabase(dataDir, (database) =>
    database
      .prepare("insert into member (id, state, lease_ms, kind, key) values (?, 'live', 30000, 'guard', ?)")
      .run(guard, String(made['id'])),
  );
  assert.deepEqual(await cli('revoke', String(made['id'])), { id: made['id'], revoked: true });
  assert.deepEqual(
    rowsOf(dataDir, 'select state from member where id = ?', guard).map(({ state }) => state),
    ['leaving'],
  );
  assert.deepEqual(auditOf(made['id']), ['authn_token_created cli', 'authn_token_revoked cli']);
  assert.equal((await runCatalytic(['guard-keys', 'create', '--guards-max=1001'])).code, 2);
});

test('over HTTP an admin key makes, sees and revokes what its scopes and its tenant allow', async () => {
  const scopes = ['guard-keys:read', 'guard-keys:write'];
  const all = addAdminKey(dataDir, scopes);
  const made = await post(`${url}/admin/tenants`, { name: 'globex' }, addAdminKey(dataDir, ['tenants:write']));
  const tenantId = made.body['id'];
  const bound = addAdminKey(dataDir, scopes, 'globex');
  const reading = addAdminKey(dataDir, ['guard-keys:read']);
  assertProblem(await post(route, {}, reading), 'admin_scope_insufficient');
  assertProblem(await get(route, addAdminKey(dataDir, ['guard-keys:write'])), 'admin_scope_insufficient');

  const usual = await post(route, undefined, all);
  assert.equal(usual.status, 201);
  const { tenant_id, guards_max, expires_at } = usual.body;
  assert.deepEqual([tenant_id, guards_max, expires_at], [null, 100, null]);
  assert.match(String(usual.body['key']), /^cgk_/);
  const own = await post(route, { description: 'its own', expires_in: 60, guards_max: 0 }, bound);
  assert.deepEqual([own.body['tenant_id'], own.body['guards_max']], [tenantId, 0]);
  assert.equal((await post(route, { tenant: 'globex' }, all)).body['tenant_id'], tenantId);
  assertProblem(await post(route, { tenant: 'default' }, bound), 'admin_scope_insufficient');
  assertProblem(await post(route, { tenant: 'nobody' }, all), 'tenant_unknown');
  for (const body of [
    { guards_max: 1001 },
    { guards_max: -1 },
    { expires_in: 0 },
    { expires_in: 1e12 },
    { description: 'zero \0' },
    { scopes: [] },
  ])
    assertProblem(await post(route, body, all), 'body_invalid');

  const [seen, everything] = [listed((await get(route, bound)).body), listed((await get(route, reading)).body)];
  assert.ok(seen.length < everything.length);
  assert.deepEqual(new Set(seen.map((key) => key['tenant_id'])), new Set([tenantId]));
  assertProblem(await remove(`${route}/${usual.body['id']}`, bound), 'guard_key_not_found');
  assertProblem(await remove(`${route}/${own.body['id']}`, reading), 'admin_scope_insufficient');
  assert.deepEqual((await remove(`${route}/${own.body['id']}`, bound)).body, { id: own.body['id'], revoked: true });
  assertProblem(await remove(`${route}/${own.body['id']}`, all), 'guard_key_not_found');
  const actors = auditOf(own.body['id']);
  assert.equal(actors.length, 2);
  for (const row of actors) assert.match(String(row), / key:[0-9a-f]{12}$/);
});

test('a guard key asks for revocations, of its tenant only, until its end or until it is revoked', async () => {
  const admin = addAdminKey(dataDir, ['guard-keys:write', 'tenants:write']);
  const make = async (body: object): Promise<Readonly<Record<string, string>>> =>
    (await post(route, body, admin)).body as Readonly<Record<string, string>>;
  const suspended = await post(`${url}/admin/tenants`, { name: 'initech' }, admin);
  await post(`${url}/admin/tenants`, { name: 'hooli' }, admin);
  const [all, own, other] = [await make({}), await make({ tenant: 'initech' }), await make({ tenant: 'hooli' })];
  await post(`${url}/admin/tenants/${suspended.body['id']}/suspend`, undefined, admin);
  const kinds = ['token', 'session', 'account', 'tenant', 'key'];
  const ask = (key: string | undefined) => post(`${url}/revocations`, { nonce: 'n', wait_ms: 0, kinds }, key);
  /** What a whole view of the key holds. A worker that has nothing new answers at once. */
  const seenBy = async ({ key }: Readonly<Record<string, string>>): Promise<readonly unknown[]> => {
    const { status, body, text } = await ask(key);
    assert.equal(status, 200, text);
    return (body['entries'] as readonly Key[]).map((entry) => entry['key']);
  };
  await waitUntil('the service', 'pass the suspension on', 2000, async () => (await seenBy(all)).length > 0);
  assert.deepEqual(await seenBy(all), [suspended.body['id']]);
  assert.deepEqual(await seenBy(own), [suspended.body['id']]);
  assert.deepEqual(await seenBy(other), []);

  const used = (await get(route, addAdminKey(dataDir, ['guard-keys:read']))).body;
  const { last_used_at } = listed(used).find(({ id }) => id === own['id']) ?? {};
  assert.ok(Math.abs(Date.now() - Date.parse(String(last_used_at))) < 60_000);
  assertProblem(await ask(undefined), 'guard_key_missing');
  assertProblem(await ask('cgk_made-up'), 'guard_key_invalid');
  assertProblem(await ask(admin), 'guard_key_invalid');
  assertProblem(await get(route, all['key']), 'admin_key_invalid');

  const { issuer: audience } = (await get(`${url}/.well-known/oauth-authorization-server`)).body;
  const registered = await post(`${url}/revocations/guards`, { audience, name: 'api', kinds }, own['key']);
  assert.equal(registered.status, 201, registered.text);
  const place = `${url}/revocations/guards/${registered.body['guard']}`;
  assert.deepEqual((await remove(place, other['key'] ?? '')).body, { left: false });
  assert.deepEqual((await remove(place, own['key'] ?? '')).body, { left: true });

  assert.equal((await remove(`${route}/${own['id']}`, admin)).status, 200);
  await waitUntil('the service', 'refuse the revoked key', 2000, async () => (await ask(own['key'])).status === 401);
  assertProblem(await ask(own['key']), 'guard_key_invalid');
  const brief = await make({ expires_in: 1 });
  assert.equal((await ask(brief['key'])).status, 200);
  await waitUntil('the key', 'end', 5000, async () => (await ask(brief['key'])).status === 401);
  assertProblem(await ask(brief['key']), 'guard_key_expired');
  const refusals = () =>
    rowsOf(dataDir, "select distinct reason from audit where reason like 'guard_key_%' order by reason");
  await waitUntil('the trail', 'hold the refusals', 2000, async () => refusals().length === 2);
});
