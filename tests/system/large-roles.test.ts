import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importLines, passwordHash, readLabKey } from '../harness/accounts.ts';
import { addAdminKey } from '../harness/admin-key.ts';
import { get, goodPassword, logOut, post } from '../harness/client.ts';
import { rowsOf, withDatabase } from '../harness/database.ts';
import { operateUrlOf } from '../harness/operate-url.ts';
import { assertProblem } from '../harness/problems.ts';
import { folderIn, serviceIn, serviceOn } from '../harness/service.ts';

const login = (url: string, email: string, tenant = 'lab') =>
  post(`${url}/auth/login`, { email, password: goodPassword, tenant });
const lineOf = (email: string, roles: readonly string[]): string =>
  JSON.stringify({ email, password_hash: passwordHash(goodPassword), roles });
/** Roles that take this many bytes as JSON: one name and its frame, as often as they fit. */
const rolesOf = (bytes: number): readonly string[] => {
  const roles = Array.from({ length: Math.floor((bytes - 1) / 47) }, (_, index) => `${index}`.padStart(44, 'r'));
  const rest = bytes - JSON.stringify(roles).length;
  return rest >= 4 ? [...roles, 'r'.repeat(rest - 3)] : roles;
};

test('roles that would not fit into a token are refused where they are given', async (t) => {
  const { url, dataDir } = await serviceIn(t);
  const large = Array.from({ length: 64 }, (_, index) => `${index}`.padStart(2, '0') + '管'.repeat(62));
  const key = addAdminKey(dataDir, ['accounts:write']);
  const made = await post(
    `${url}/admin/accounts`,
    { email: 'made@example.com', password: goodPassword, roles: large },
    key,
  );
  assertProblem(made, 'body_invalid');
  assert.match(made.text, /\/roles.*more than 1536 bytes together/);
  const imported = await importLines(url, readLabKey(dataDir), lineOf('imported@example.com', large.slice(0, 12)));
  assertProblem(imported, 'import_line_invalid');
  assert.match(imported.text, /its roles take more than 1536 bytes/);
});

test('the largest roles, issuer and audience make a token that every process takes', async (t) => {
  const settings = {
    ISSUER: `https://id.example.com/${'i'.repeat(232)}`,
    AUDIENCE: 'a'.repeat(255),
    OPERATE_PORT: 0,
  };
  const folder = folderIn(t);
  const service = await serviceOn(t, folder, settings);
  const email = 'largest@example.com';
  const roles = rolesOf(1536);
  assert.equal(JSON.stringify(roles).length, 1536);
  assert.equal((await importLines(operateUrlOf(service), readLabKey(folder), lineOf(email, roles))).status, 200);
  const access = String((await login(service.url, email)).body['access_token']);
  assert.ok(access.length < 4096, `${access.length} characters`);
  await service.end();
  // A process that has not minted it.
  const { url } = await serviceOn(t, folder, settings);
  assert.deepEqual((await get(`${url}/auth/verify`, access)).body['roles'], roles);
  assert.equal((await logOut(url, access)).status, 200);
});

test('no token is minted for larger roles that are stored already, and no session opened', async (t) => {
  const { url, dataDir } = await serviceIn(t);
  const email = 'stored@example.com';
  assert.equal((await importLines(url, readLabKey(dataDir), lineOf(email, []))).status, 200);
  const store = (roles: readonly string[]): unknown =>
    withDatabase(dataDir, (database) => database.prepare('update account set roles = ?').run(JSON.stringify(roles)));
  // An earlier version took them, and they fit.
  store(rolesOf(2000));
  const fitting = await login(url, email);
  assert.equal(fitting.status, 200);
  store(rolesOf(4000));
  assertProblem(await login(url, email), 'roles_too_large');
  assert.equal(rowsOf(dataDir, 'select 1 from session').length, 1);
  const refresh_token = String(fitting.body['refresh_token']);
  assertProblem(await post(`${url}/auth/refresh`, { refresh_token }), 'roles_too_large');
});
