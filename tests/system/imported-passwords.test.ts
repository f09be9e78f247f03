import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { importLines, passwordHash, readLabKey } from '../harness/accounts.ts';
import { get, goodPassword, post, signIn } from '../harness/client.ts';
import { rowsOf, withDatabase } from '../harness/database.ts';
import { readMetrics } from '../harness/metrics.ts';
import { assertProblem } from '../harness/problems.ts';
import { serviceIn } from '../harness/service.ts';

const service = await serviceIn({ after }, { LOGIN_CACHE_SECONDS: 600, HASH_LANES: 3 });
const { url, dataDir } = service;
const labKey = readLabKey(dataDir);

const importHash = async (email: string, password_hash: string): Promise<void> => {
  const { status } = await importLines(url, labKey, JSON.stringify({ email, password_hash }));
  assert.equal(status, 200);
};
const login = (email: string, password: string) => post(`${url}/auth/login`, { email, password, tenant: 'lab' });
const storedHash = (email: string): string =>
  String(rowsOf(dataDir, 'select password_hash from account where email = ?', email)[0]?.['password_hash']);

test('sign-ins at the same time, the first after an import, all succeed', async () => {
  // Made by bcrypt of cost 8, like the others below of cost 4.
  const imported = '$2b$08$mQ.FBEAspN4bNk6lrd1Y6uK4/gXmxo4WSwqdbvRW7etGTBKRIVhna';
  for (let account = 0; account < 5; account++) {
    const email = `parallel-${account}@example.com`;
    await importHash(email, imported);
    const answers = await Promise.all(Array.from({ length: 3 }, () => login(email, goodPassword)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    );
    assert.match(storedHash(email), /^\$argon2id/);
  }
});

const decomposed = 'Schlüssel für die Tür'.normalize('NFD');
const composed = decomposed.normalize('NFC');
const forms: readonly (readonly [string, string, string])[] = [
  ['decomposed, by bcrypt', decomposed, '$2b$04$fL./RGH3Qt4YZ1S3eWIezucJWwJFkvFWLjm3s1zjs96FzwfIdHmLu'],
  ['composed, by bcrypt', composed, '$2b$04$RKZGlcZfSX0iGCAxxaGFBucmLTqxL6Y1lHxrDlvgtLb7y/RCJ.iFG'],
  [
    'with a sign that NFC replaces',
    '10 \u212bngstr\u00f6m long',
    '$2b$04$mPFtoS/e3gQBMxLIpkbyN.tHNPa7PLoGlDUv2lJAXQo9cH0B74tNi',
  ],
  [
    'decomposed, by argon2id of any cost',
    decomposed,
    passwordHash(decomposed, { memoryKib: 64, passes: 1, parallelism: 1 }),
  ],
];
for (const [index, [about, typed, imported]] of forms.entries())
  test(`a password that another system hashed ${about} signs in as it was typed, and then in either form`, async () => {
    const email = `form-${index}@example.com`;
    await importHash(email, imported);
    assertProblem(await login(email, `${typed}.`), 'credentials_invalid');
    await signIn(url, email, typed, 'lab');
    assert.match(storedHash(email), /^\$argon2id\$v=19\$m=19456/);
    await signIn(url, email, typed.normalize('NFC'), 'lab');
    await signIn(url, email, typed, 'lab');
  });

test("a password hashed decomposed under today's parameters signs in as it was typed", async () => {
  await importHash('same-cost@example.com', passwordHash(decomposed));
  await signIn(url, 'same-cost@example.com', decomposed, 'lab');
  // Not upgraded, so the login cache must not know the other form either.
  assertProblem(await login('same-cost@example.com', composed), 'credentials_invalid');
  await signIn(url, 'same-cost@example.com', decomposed, 'lab');
});

test('a bcrypt hash of a long password stays, whatever was typed after the 72 bytes that it reads', async () => {
  const right = 'nine lanterns over the harbour, and nine boats under the lanterns, in the rain';
  const imported = '$2b$04$MSIejobtL1kiaEZoDjEm6.13FMyED9RUCT6W7nGIgjSwLcbUOAAG2';
  await importHash('long@example.com', imported);
  await signIn(url, 'long@example.com', `${right} (mistyped)`, 'lab');
  assert.equal(storedHash('long@example.com'), imported);
  await signIn(url, 'long@example.com', right, 'lab');
});

test('a password that another system hashed decomposed can be changed', async () => {
  await importHash('change@example.com', passwordHash(decomposed));
  const { access } = await signIn(url, 'change@example.com', decomposed, 'lab');
  const changed = await post(
    `${url}/auth/password`,
    { current_password: decomposed, new_password: goodPassword },
    access,
  );
  assert.equal(changed.status, 200, changed.text);
  await signIn(url, 'change@example.com', goodPassword, 'lab');
});

test('a stored hash that cannot be read refuses like a wrong password, and alarms the operator', async () => {
  await importHash('damaged@example.com', passwordHash(goodPassword));
  const { access } = await signIn(url, 'damaged@example.com', goodPassword, 'lab');
  withDatabase(dataDir, (database) =>
    database
      .prepare("update account set password_hash = '$argon2id$v=19$m=19456' where email = ?")
      .run('damaged@example.com'),
  );
  assertProblem(await login('damaged@example.com', goodPassword), 'credentials_invalid');
  const change = { current_password: goodPassword, new_password: 'eleven lanterns over the harbour' };
  assertProblem(await post(`${url}/auth/password`, change, access), 'password_wrong');
  const metrics = readMetrics((await get(`${url}/metrics`)).text);
  assert.equal(metrics.get('catalytic_unreadable_hashes_total{worker="1"}'), 2);
  const [account] = rowsOf(dataDir, 'select id from account where email = ?', 'damaged@example.com');
  const lines = service
    .output()
    .split('\n')
    .filter((line) => line.includes('stored password hash'));
  assert.equal(lines.length, 1, 'each account is named once');
  assert.equal((JSON.parse(String(lines[0])) as Record<string, unknown>)['accountId'], account?.['id']);
});
