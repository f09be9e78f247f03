import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { type Argon2idCost, argon2idCost } from '@catalytic/protocol/argon2id-cost';
import { importLines, passwordHash, readLabKey } from '../harness/accounts.ts';
import { type Answer, goodPassword, post, request, signIn } from '../harness/client.ts';
import { rowsOf, withDatabase } from '../harness/database.ts';
import { assertProblem } from '../harness/problems.ts';
import { exchange, requestBytes } from '../harness/raw.ts';
import { serviceIn } from '../harness/service.ts';

const { url, dataDir } = await serviceIn({ after });
const labKey = readLabKey(dataDir);
const sharedHash = passwordHash(goodPassword);
const line = (email: string, password_hash = sharedHash, rest = {}): string =>
  JSON.stringify({ email, password_hash, ...rest });
const counts = ({ status, body }: Answer) => [status, body['imported'], body['existing']];

const storedHash = (email: string): string =>
  String(rowsOf(dataDir, 'select password_hash from account where email_key = ?', email)[0]?.['password_hash']);

test('imported accounts sign in with the passwords they had, and carry their roles', async () => {
  const answer = await importLines(
    url,
    labKey,
    [line('first@example.com'), '', line('second@example.com', sharedHash, { roles: ['editor'] }), ''].join('\r\n'),
  );
  assert.deepEqual(counts(answer), [200, 2, 0]);
  await signIn(url, 'first@example.com', goodPassword, 'lab');
  const { access } = await signIn(url, 'Second@example.com', goodPassword, 'lab');
  const verified = await request(`${url}/auth/verify`, { headers: { authorization: `Bearer ${access}` } });
  assert.deepEqual(verified.body['roles'], ['editor']);
});

test('an import leaves accounts that exist as they are', async () => {
  assert.deepEqual(counts(await importLines(url, labKey, line('kept@example.com'))), [200, 1, 0]);
  const other = passwordHash('an entirely different password');
  const answer = await importLines(url, labKey, [line('KEPT@example.com', other), line('new@example.com')].join('\n'));
  assert.deepEqual(counts(answer), [200, 1, 1]);
  await signIn(url, 'kept@example.com', goodPassword, 'lab');
});

test('an import of several batches stores every line', async () => {
  const lines = Array.from({ length: 1201 }, (_, index) => line(`many-${index}@example.com`));
  assert.deepEqual(counts(await importLines(url, labKey, lines.join('\n'))), [200, 1201, 0]);
  await signIn(url, 'many-1200@example.com', goodPassword, 'lab');
});

const badLines: readonly (readonly [string, string, RegExp])[] = [
  ['no JSON', '{"email":', /it is not JSON/],
  ['a JSON text', '"text"', /it is not \{/],
  ['null', 'null', /it is not \{/],
  ['an array', '[]', /it is not \{/],
  ['a missing field', '{"email":"a@example.com"}', /it is not \{/],
  ['an unknown field', line('a@example.com', sharedHash, { admin: true }), /it is not \{/],
  ['a prototype key', `{"__proto__":{},"email":"a@example.com","password_hash":"${sharedHash}"}`, /it is not \{/],
  ['roles that are no texts', line('a@example.com', sharedHash, { roles: [1] }), /it is not \{/],
  ['no email', line('not an email'), /its email is not valid/],
  ['a bare password', line('a@example.com', 'password'), /password_hash is not an accepted/],
  ['another hash format', line('a@example.com', '$2b$10$abcdefghijklmnopqrstuu'), /password_hash is not an accepted/],
  ['a hash that asks for 4 GiB', line('a@example.com', sharedHash.replace('m=19456', 'm=4194304')), /not an accepted/],
  ['a hash that asks for 999 passes', line('a@example.com', sharedHash.replace('t=2', 't=999')), /not an accepted/],
  ['a hash of no lanes', line('a@example.com', sharedHash.replace('p=1', 'p=0')), /not an accepted/],
  ['an email twice', `{"email":"a@example.com",${line('b@example.com').slice(1)}`, /two members of one name/],
  ['an endless line', line('a@example.com', 'x'.repeat(5000)), /longer than/],
  ['bytes that are no text', '{"email":"a\u00ff@example.com"', /it is not/],
];
for (const [about, bad, reason] of badLines)
  test(`an import refuses ${about} and names the line`, async () => {
    const answer = await importLines(url, labKey, `${line('good@example.com')}\n${bad}\n${line('later@example.com')}`);
    assertProblem(answer, 'import_line_invalid', about);
    assert.match(String(answer.body['detail']), /line 2: /);
    assert.match(String(answer.body['detail']), reason);
  });

test('an import whose bytes are not UTF-8 is refused, not repaired', async () => {
  const bytes = Buffer.from(line('bytes-?@example.com'));
  bytes[bytes.indexOf('?')] = 0xff;
  const answer = await request(`${url}/admin/accounts/import?tenant=lab`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', authorization: `Bearer ${labKey}` },
    body: bytes,
  });
  assertProblem(answer, 'import_line_invalid');
  assert.deepEqual(rowsOf(dataDir, "select 1 from account where email like 'bytes%'"), []);
});

test('an import of blank lines is cut off before it costs much', async () => {
  const lines = `${line('before-blanks@example.com')}\n${' \r\n'.repeat(9_999)}`;
  assert.equal((await importLines(url, labKey, lines)).status, 200);
  const answer = await importLines(url, labKey, '\n'.repeat(4_000_000));
  assertProblem(answer, 'import_line_invalid');
  assert.match(String(answer.body['detail']), /line 10001: it is the blank line number 10001/);
});

test('the answer to a bad line arrives although megabytes of the import are still on their way', async () => {
  const lines = ['not JSON', ...Array.from({ length: 40_000 }, (_, index) => line(`never-${index}@example.com`))];
  assertProblem(await importLines(url, labKey, lines.join('\n')), 'import_line_invalid');
  assert.deepEqual(rowsOf(dataDir, "select 1 from account where email like 'never-%'"), []);
});

test('an import that is refused half-way leaves the next request on its connection an answer', async () => {
  const requestOf = (body: string): string =>
    `POST /admin/accounts/import HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n` +
    `Authorization: Bearer ${labKey}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const refused = requestOf(`not JSON\n${`${line('never-2@example.com')}\n`.repeat(20_000)}`);
  const live = requestBytes('GET', '/health/live').toString('latin1');
  const answers = await exchange(url, refused + requestOf(line('next@example.com')) + live);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [400, 200, 200],
  );
});

test('an admin key acts on its own tenant only, and need not name it', async () => {
  const own = await importLines(url, labKey, line('own@example.com'), '');
  assert.deepEqual([own.status, own.body['imported']], [200, 1]);
  await signIn(url, 'own@example.com', goodPassword, 'lab');
  assertProblem(await importLines(url, labKey, line('a@example.com'), '?tenant=default'), 'admin_scope_insufficient');
  assertProblem(await importLines(url, labKey, line('a@example.com'), '?tenant=none'), 'admin_scope_insufficient');
  assertProblem(await importLines(url, labKey, line('a@example.com'), '?tenant=lab&x=1'), 'body_invalid');
});

test('an import needs an admin key with the scope for it', async () => {
  assertProblem(await importLines(url, undefined, line('a@example.com')), 'admin_key_missing');
  assertProblem(await importLines(url, 'cak_unknown', line('a@example.com')), 'admin_key_invalid');
  const unscoped = 'cak_made-for-something-else';
  withDatabase(dataDir, (database) =>
    database
      .prepare("insert into admin_key (hash, tenant_id, scopes, description, created_at) values (?, null, '[]', '', 0)")
      .run(createHash('sha256').update(unscoped).digest()),
  );
  assertProblem(await importLines(url, unscoped, line('a@example.com')), 'admin_scope_insufficient');
});

test('an access token is no admin key', async () => {
  await importLines(url, labKey, line('member@example.com'));
  const { access } = await signIn(url, 'member@example.com', goodPassword, 'lab');
  assertProblem(await importLines(url, access, line('a@example.com')), 'admin_key_invalid');
});

const foreignCosts: readonly (readonly [string, Argon2idCost])[] = [
  ['weaker', { memoryKib: 8192, passes: 1, parallelism: 1 }],
  ['stronger', { memoryKib: 32_768, passes: 3, parallelism: 2 }],
];
for (const [about, cost] of foreignCosts)
  test(`a ${about} argon2id hash is replaced by one of today's cost at the next sign-in, and only by the right password`, async () => {
    const email = `${about}@example.com`;
    const foreign = passwordHash(goodPassword, cost);
    await importLines(url, labKey, line(email, foreign));
    assertProblem(
      await post(`${url}/auth/login`, { email, password: 'not the right password', tenant: 'lab' }),
      'credentials_invalid',
    );
    assert.equal(storedHash(email), foreign);
    await signIn(url, email, goodPassword, 'lab');
    const upgraded = storedHash(email);
    const { memoryKib, passes, parallelism } = argon2idCost;
    assert.ok(upgraded.startsWith(`$argon2id$v=19$m=${memoryKib},t=${passes},p=${parallelism}$`), upgraded);
    await signIn(url, email, goodPassword, 'lab');
    assert.equal(storedHash(email), upgraded, 'an upgraded hash stays');
  });
