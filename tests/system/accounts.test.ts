import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import * as nodeTest from 'node:test';
import { passwordHash } from '../harness/accounts.ts';
import { addAdminKey } from '../harness/admin-key.ts';
import {
  type Answer,
  get,
  goodPassword,
  post,
  refresh,
  signIn,
  signUp,
  type Tokens,
  tokensOf,
} from '../harness/client.ts';
import { rowsOf } from '../harness/database.ts';
import { needsPostgres } from '../harness/postgres.ts';
import { createDatabase, sharedServer } from '../harness/postgres-engine.ts';
import { assertProblem } from '../harness/problems.ts';
import { runCatalytic, serviceIn } from '../harness/service.ts';

const { after, suite, test } = nodeTest;

const { url, dataDir } = await serviceIn({ after }, { LOGIN_CACHE_SECONDS: 300, HASH_QUEUE_MS: 60_000 });
const everything = ['accounts:read', 'accounts:write', 'tenants:read', 'tenants:write'];
const key = addAdminKey(dataDir, everything);
const revoked = { revoked: true, propagation: 'complete' };
const sharedHash = passwordHash(goodPassword);

const admin = (path: string, body?: unknown, withKey = key): Promise<Answer> =>
  post(`${url}/admin/${path}`, body, withKey);

/** Makes an account with {@link goodPassword}; returns its id. */
const make = async (email: string, tenant = 'default'): Promise<string> => {
  const answer = await admin(`accounts?tenant=${tenant}`, { email, password_hash: sharedHash });
  assert.equal(answer.status, 201, answer.text);
  return String(answer.body['id']);
};

const makeTenant = async (name: string): Promise<string> => {
  const answer = await admin('tenants', { name });
  assert.equal(answer.status, 201, answer.text);
  return String(answer.body['id']);
};

const assertDead = async (
  { access, refresh: token }: Tokens,
  code: 'session_ended' | 'account_disabled' | 'tenant_suspended',
) => {
  assertProblem(await get(`${url}/auth/verify`, access), 'token_revoked');
  assertProblem(await refresh(url, token), code);
};

const assertAlive = async ({ access }: Tokens): Promise<void> =>
  assert.equal((await get(`${url}/auth/verify`, access)).status, 200);

test('an administrator makes accounts, with a password or a ready hash, and finds them', async () => {
  const made = await admin('accounts', { email: 'Made@Example.com', password: goodPassword, roles: ['editor'] });
  assert.equal(made.status, 201, made.text);
  const { id, email, status, roles } = made.body;
  assert.deepEqual([email, status, roles], ['Made@Example.com', 'active', ['editor']]);
  assert.ok(!made.text.includes('argon2'), 'nothing of the password comes back');
  await signIn(url, 'made@example.com');
  const found = await get(`${url}/admin/accounts?email=MADE@example.com`, key);
  assert.deepEqual(found.body['accounts'], [made.body]);
  assert.deepEqual((await get(`${url}/admin/accounts?email=nobody@example.com`, key)).body['accounts'], []);

  await make('hashed@example.com');
  await signIn(url, 'hashed@example.com');
  const refused: readonly (readonly [unknown, Parameters<typeof assertProblem>[1]])[] = [
    [{ email: 'made@example.com', password_hash: sharedHash }, 'email_taken'],
    [{ email: 'no email', password_hash: sharedHash }, 'email_invalid'],
    [{ email: 'a@example.com', password: 'short' }, 'password_too_short'],
    [{ email: 'a@example.com', password: 'passwordpassword' }, 'password_blocked'],
    [{ email: 'a@example.com' }, 'body_invalid'],
    [{ email: 'a@example.com', password: goodPassword, password_hash: sharedHash }, 'body_invalid'],
    [{ email: 'a@example.com', password_hash: goodPassword }, 'body_invalid'],
    [{ email: 'a@example.com', password_hash: sharedHash, status: 'disabled' }, 'body_invalid'],
  ];
  for (const [body, code] of refused) assertProblem(await admin('accounts', body), code, JSON.stringify(body));
  assertProblem(
    await admin('accounts?tenant=none', { email: 'a@example.com', password_hash: sharedHash }),
    'tenant_unknown',
  );
  assertProblem(await admin(`accounts/${String(id)}x/disable`), 'body_invalid');
  assertProblem(await admin(`accounts/${randomUUID()}/disable`), 'account_not_found');
});

test('accounts are listed by email, a hundred at a time', async () => {
  await makeTenant('large');
  const labels = Array.from({ length: 101 }, (_, index) => `n${String(index).padStart(3, '0')}@example.com`);
  for (const email of labels.toReversed()) await make(email, 'large');
  const page = async (cursor = ''): Promise<Answer> => get(`${url}/admin/accounts?tenant=large${cursor}`, key);
  const emails = ({ body }: Answer): unknown[] => (body['accounts'] as { email: string }[]).map(({ email }) => email);
  const first = await page();
  assert.deepEqual(emails(first), labels.slice(0, 100));
  const second = await page(`&cursor=${String(first.body['next_cursor'])}`);
  assert.deepEqual([emails(second), second.body['next_cursor']], [labels.slice(100), undefined]);
});

test('a disabled account is out at once, neither signs in nor refreshes, and comes back without its sessions', async () => {
  const email = 'disabled@example.com';
  const id = await make(email);
  const session = await signIn(url, email);
  const bystander = await signUp(url, 'bystander@example.com');
  for (let repeat = 0; repeat < 2; repeat++) {
    const answer = await admin(`accounts/${id}/disable`);
    assert.deepEqual([answer.status, answer.body], [200, revoked]);
    await assertDead(session, 'account_disabled');
  }
  assertProblem(await post(`${url}/auth/login`, { email, password: goodPassword }), 'account_disabled');
  assertProblem(
    await post(`${url}/auth/login`, { email, password: 'not the right password' }),
    'credentials_invalid',
    'who does not know the password is not told',
  );
  const enabled = await admin(`accounts/${id}/enable`);
  assert.deepEqual([enabled.status, enabled.body['status']], [200, 'active']);
  await assertDead(session, 'session_ended');
  await assertAlive(await signIn(url, email));
  await assertAlive(bystander);
});

test('an administrator sees the sessions of an account and ends all of them', async () => {
  const email = 'signed-out@example.com';
  const id = await make(email);
  const [one, two] = [await signIn(url, email), await signIn(url, email)];
  const answer = await get(`${url}/admin/accounts/${id}/sessions`, key);
  assert.deepEqual(
    (answer.body['sessions'] as { id: string }[]).map((session) => session.id),
    [two.session, one.session],
  );
  const out = await admin(`accounts/${id}/sign-out`);
  assert.deepEqual([out.status, out.body], [200, revoked]);
  for (const session of [one, two]) await assertDead(session, 'session_ended');
  await assertAlive(await signIn(url, email));
});

test('a suspended tenant signs nobody in, registers nobody, and its tokens are dead; others do not notice', async () => {
  const id = await makeTenant('suspended');
  assertProblem(await admin('tenants', { name: 'suspended' }), 'tenant_taken');
  const email = 'member@example.com';
  await make(email, 'suspended');
  const session = await signIn(url, email, goodPassword, 'suspended');
  const elsewhere = await signUp(url, email);
  for (let repeat = 0; repeat < 2; repeat++) {
    const answer = await admin(`tenants/${id}/suspend`);
    assert.deepEqual([answer.status, answer.body], [200, revoked]);
    await assertDead(session, 'tenant_suspended');
  }
  const login = { email, password: goodPassword, tenant: 'suspended' };
  assertProblem(await post(`${url}/auth/login`, login), 'tenant_suspended');
  assertProblem(
    await post(`${url}/auth/login`, { ...login, password: 'not the right password' }),
    'credentials_invalid',
  );
  assertProblem(await post(`${url}/auth/register`, { ...login, email: 'new@example.com' }), 'registration_refused');
  assertProblem(
    await admin('accounts?tenant=suspended', { email: 'new@example.com', password_hash: sharedHash }),
    'tenant_suspended',
  );
  await assertAlive(elsewhere);
  assert.equal((await admin(`tenants/${id}/resume`)).body['status'], 'active');
  await assertDead(session, 'session_ended');
  await assertAlive(await signIn(url, email, goodPassword, 'suspended'));
  assertProblem(await admin(`tenants/${randomUUID()}/suspend`), 'tenant_not_found');
});

test('a key that is bound to a tenant reaches nothing of another one', async () => {
  const [own, foreign] = [await makeTenant('own'), await makeTenant('foreign')];
  const bound = addAdminKey(dataDir, everything, 'own');
  const ownAccount = await make('own@example.com', 'own');
  const foreignAccount = await make('foreign@example.com', 'foreign');
  const session = await signIn(url, 'foreign@example.com', goodPassword, 'foreign');

  // Without a name the key's own tenant is meant: another one's account is not there.
  for (const act of ['disable', 'enable', 'sign-out'])
    assertProblem(await admin(`accounts/${foreignAccount}/${act}`, undefined, bound), 'account_not_found', act);
  for (const id of [foreignAccount, randomUUID()])
    assertProblem(await get(`${url}/admin/accounts/${id}/sessions`, bound), 'account_not_found');
  assert.deepEqual((await get(`${url}/admin/accounts?email=foreign@example.com`, bound)).body['accounts'], []);
  // With one, every tenant but its own is refused alike, whether it exists or not.
  for (const tenant of ['foreign', 'default', 'nowhere']) {
    for (const act of ['disable', 'enable', 'sign-out'])
      assertProblem(
        await admin(`accounts/${foreignAccount}/${act}?tenant=${tenant}`, undefined, bound),
        'admin_scope_insufficient',
      );
    for (const path of [`accounts?tenant=${tenant}`, `accounts/${foreignAccount}/sessions?tenant=${tenant}`])
      assertProblem(await get(`${url}/admin/${path}`, bound), 'admin_scope_insufficient', path);
    assertProblem(
      await admin(`accounts?tenant=${tenant}`, { email: 'a@example.com', password_hash: sharedHash }, bound),
      'admin_scope_insufficient',
    );
  }
  for (const [path, body] of [
    ['tenants', { name: 'another' }],
    [`tenants/${foreign}/suspend`, undefined],
    [`tenants/${own}/resume`, undefined],
  ] as const)
    assertProblem(await admin(path, body, bound), 'admin_scope_insufficient', path);
  assert.deepEqual((await get(`${url}/admin/tenants`, bound)).body['tenants'], [
    { id: own, name: 'own', status: 'active', registration: 'invited' },
  ]);
  await assertAlive(session);
  assert.equal((await admin(`accounts/${ownAccount}/disable`, undefined, bound)).status, 200);
});

test('each route asks for its own scope', async () => {
  const id = randomUUID();
  const routes: readonly (readonly [string, string, string])[] = [
    ['GET', 'accounts', 'accounts:read'],
    ['GET', `accounts/${id}/sessions`, 'accounts:read'],
    ['POST', 'accounts', 'accounts:write'],
    ['POST', `accounts/${id}/disable`, 'accounts:write'],
    ['POST', `accounts/${id}/enable`, 'accounts:write'],
    ['POST', `accounts/${id}/sign-out`, 'accounts:write'],
    ['GET', 'tenants', 'tenants:read'],
    ['POST', 'tenants', 'tenants:write'],
    ['POST', `tenants/${id}/suspend`, 'tenants:write'],
    ['POST', `tenants/${id}/resume`, 'tenants:write'],
  ];
  const keys = new Map(
    everything.map((scope) => [
      scope,
      addAdminKey(
        dataDir,
        [...everything, 'accounts:import'].filter((other) => other !== scope),
      ),
    ]),
  );
  for (const [method, path, scope] of routes) {
    const call = (token?: string): Promise<Answer> =>
      method === 'GET' ? get(`${url}/admin/${path}`, token) : post(`${url}/admin/${path}`, undefined, token);
    assertProblem(await call(keys.get(scope)), 'admin_scope_insufficient', path);
    assertProblem(await call(), 'admin_key_missing', path);
  }
});

test('the command line works beside the running service, and what it revokes is dead when it returns', async () => {
  const catalytic = (args: string, input?: string) => runCatalytic(args.split(' '), { DATA_DIR: dataDir }, input);
  const email = 'commanded@example.com';
  const made = await catalytic(`accounts create --email ${email} --json`, `${goodPassword}\n`);
  assert.equal(made.code, 0, made.stderr);
  const { id } = JSON.parse(made.stdout) as { id: string };
  const session = await signIn(url, email);

  const disabled = await catalytic(`accounts disable ${email} --json`);
  assert.deepEqual([disabled.code, JSON.parse(disabled.stdout)], [0, { id, ...revoked }], disabled.stderr);
  await assertDead(session, 'account_disabled');
  const [enabled, listed, taken, wrong] = await Promise.all([
    catalytic(`accounts enable ${id}`),
    catalytic(`accounts list --email ${email} --json`),
    catalytic(`accounts create --email ${email}`, goodPassword),
    catalytic('accounts create'),
  ]);
  assert.match(enabled.stdout, /is active/);
  assert.equal((JSON.parse(listed.stdout) as { accounts: unknown[] }).accounts.length, 1);
  assert.deepEqual([taken.code, wrong.code], [1, 2]);
  assert.match(taken.stderr, /An account with this email address exists/);

  const again = await signIn(url, email);
  const out = await catalytic(`accounts sign-out ${email}`);
  assert.match(out.stdout, /signed out everywhere\. No process accepts a token from before/);
  await assertDead(again, 'session_ended');
});

suite('PostgreSQL', needsPostgres(), () => {
  const server = sharedServer(nodeTest);

  test('sessions, passwords and accounts go the same way on PostgreSQL, with the command line beside', async (t) => {
    const { url: databaseUrl } = await createDatabase(await server());
    const settings = { DATABASE_URL: databaseUrl, DATABASE_POOL_SIZE: 4, DATABASE_MAX_OVERFLOW: 8, WORKERS: 1 };
    const service = await serviceIn(t, {
      ...settings,
      ...{ MAX_SESSIONS_PER_ACCOUNT: 3, LOGIN_CACHE_SECONDS: 300, HASH_QUEUE_MS: 60_000 },
    });
    const email = 'ada@example.com';
    const asking = await signUp(service.url, email);
    const others = [
      await signIn(service.url, email),
      await signIn(service.url, email),
      await signIn(service.url, email),
    ];
    assertProblem(await refresh(service.url, asking.refresh), 'session_ended', 'beyond the limit');
    const [first] = others;
    assert.ok(first !== undefined);
    const change = (index: number) =>
      post(
        `${service.url}/auth/password`,
        { current_password: goodPassword, new_password: `lantern number ${index} of it` },
        first.access,
      );
    const answers = await Promise.all([0, 1, 2, 3, 4].map(change));
    const [winner, ...more] = answers.filter(({ status }) => status === 200);
    assert.ok(winner !== undefined && more.length === 0, answers.map(({ text }) => text).join('\n'));
    const fresh = tokensOf(winner);
    for (const { access } of others) assertProblem(await get(`${service.url}/auth/verify`, access), 'token_revoked');
    const sessions = await get(`${service.url}/auth/sessions`, fresh.access);
    assert.deepEqual(
      (sessions.body['sessions'] as { id: string }[]).map(({ id }) => id),
      [fresh.session],
    );
    const disabled = await runCatalytic(['accounts', 'disable', email, '--json'], {
      ...settings,
      DATA_DIR: service.dataDir,
    });
    assert.equal(disabled.code, 0, disabled.stderr);
    assertProblem(await get(`${service.url}/auth/verify`, fresh.access), 'token_revoked');
    assertProblem(await refresh(service.url, fresh.refresh), 'account_disabled');
  });
});

test('every act of an administrator leaves its trace', () => {
  const rows = rowsOf(dataDir, "select distinct event || ' ' || reason as act from audit");
  const acts = new Set(rows.map(({ act }) => act));
  for (const act of [
    'user_updated disabled',
    'user_updated enabled',
    'session_expired signed_out',
    'authz_admin tenant_created',
    'authz_admin tenant_suspended',
    'authz_admin tenant_resumed',
  ])
    assert.ok(acts.has(act), act);
});

test('other roles outdate the access tokens, the sessions go on, and the next refresh yields the roles', async () => {
  const id = await make('roles@example.com');
  const sessions = [await signIn(url, 'roles@example.com'), await signIn(url, 'roles@example.com')];
  const rolesOf = (answer: Answer): unknown => answer.body['roles'];
  const changes = [
    async () => (await admin(`accounts/${id}/roles`, { roles: ['editor'] })).body,
    async () => {
      const done = await runCatalytic(['accounts', 'set-roles', 'roles@example.com', 'editor', 'reviewer', '--json'], {
        DATA_DIR: dataDir,
      });
      const { id: named, ...rest } = JSON.parse(done.stdout) as Record<string, unknown>;
      assert.equal(named, id);
      return rest;
    },
  ];
  for (const [index, change] of changes.entries()) {
    assert.deepEqual(await change(), revoked);
    for (const [number, { access, refresh: token }] of sessions.entries()) {
      const refused = await get(`${url}/auth/verify`, access);
      assertProblem(refused, 'token_outdated');
      assert.match(refused.headers.get('www-authenticate') ?? '', /error="invalid_token"/);
      const next = tokensOf(await refresh(url, token));
      assert.equal(next.session, sessions[number]?.session);
      assert.deepEqual(
        rolesOf(await get(`${url}/auth/verify`, next.access)),
        ['editor', 'reviewer'].slice(0, index + 1),
      );
      sessions[number] = next;
    }
  }
  const [first, second] = sessions;
  assert.ok(first !== undefined && second !== undefined);
  await admin(`accounts/${id}/roles`, { roles: [] });
  assertProblem(await get(`${url}/auth/me`, first.access), 'token_outdated');
  // A token that is only outdated still signs everybody out.
  assert.equal((await post(`${url}/auth/logout-all`, undefined, first.access)).status, 200);
  for (const tokens of sessions) await assertDead(tokens, 'session_ended');
  assertProblem(await admin(`accounts/${randomUUID()}/roles`, { roles: [] }), 'account_not_found');
  const large = Array.from({ length: 64 }, (_, index) => `${index}`.padStart(64, 'x'));
  for (const roles of [[''], large])
    assertProblem(await admin(`accounts/${id}/roles`, { roles }), 'body_invalid', `${roles.length} roles`);
});

test('an administrator changes an email, and the former one signs in no more, not even from the cache', async () => {
  const id = await make('before@example.com');
  const session = await signIn(url, 'before@example.com');
  await signIn(url, 'before@example.com');
  await make('taken@example.com');
  assertProblem(await admin(`accounts/${id}/email`, { email: 'TAKEN@example.com' }), 'email_taken');
  assertProblem(await admin(`accounts/${id}/email`, { email: 'none' }), 'email_invalid');
  const changed = await admin(`accounts/${id}/email`, { email: 'After@example.com' });
  assert.deepEqual([changed.status, changed.body['email']], [200, 'After@example.com']);
  await assertAlive(session);
  const logIn = (email: string) => post(`${url}/auth/login`, { email, password: goodPassword });
  assertProblem(await logIn('before@example.com'), 'credentials_invalid');
  await signIn(url, 'after@example.com');
  const set = await runCatalytic(['accounts', 'set-email', id, 'third@example.com'], { DATA_DIR: dataDir });
  assert.equal(set.code, 0, set.stderr);
  await signIn(url, 'third@example.com');
});

test('an administrator sets another password: the rules are those of a registration, and every session ends', async () => {
  const id = await make('reset@example.com');
  const path = `accounts/${id}/password`;
  const session = await signIn(url, 'reset@example.com');
  assertProblem(await admin(path, { password: 'short' }), 'password_too_short');
  assertProblem(await admin(path, {}), 'body_invalid');
  await assertAlive(session);
  assert.deepEqual((await admin(path, { password: 'ten lanterns over the harbour' })).body, revoked);
  await assertDead(session, 'session_ended');
  assertProblem(
    await post(`${url}/auth/login`, { email: 'reset@example.com', password: goodPassword }),
    'credentials_invalid',
  );
  const next = await signIn(url, 'reset@example.com', 'ten lanterns over the harbour');
  const done = await runCatalytic(
    ['accounts', 'reset-password', 'reset@example.com'],
    { DATA_DIR: dataDir },
    'eleven lanterns over the harbour\n',
  );
  assert.equal(done.code, 0, done.stderr);
  await assertDead(next, 'session_ended');
  await signIn(url, 'reset@example.com', 'eleven lanterns over the harbour');
});

test('a deleted account is dead at once, its email is free, and its trail stays', async () => {
  const id = await make('gone@example.com');
  const session = await signIn(url, 'gone@example.com');
  for (let repeat = 0; repeat < 2; repeat++) assert.deepEqual((await admin(`accounts/${id}/delete`)).body, revoked);
  assertProblem(await get(`${url}/auth/verify`, session.access), 'token_revoked');
  assert.notEqual((await refresh(url, session.refresh)).status, 200);
  assertProblem(await admin(`accounts/${randomUUID()}/delete`), 'account_not_found');
  assertProblem(
    await post(`${url}/auth/login`, { email: 'gone@example.com', password: goodPassword }),
    'credentials_invalid',
  );
  assertProblem(await admin(`accounts/${id}/enable`), 'account_not_found');
  const [row] = rowsOf(dataDir, 'select email, password_hash, roles from account where id = ?', id);
  assert.deepEqual({ ...row }, { email: '', password_hash: '', roles: '[]' });
  const reasons = rowsOf(dataDir, 'select event from audit where account_id = ? order by pos', id);
  assert.deepEqual([reasons[0]?.['event'], reasons.at(-1)?.['event']], ['user_created', 'user_deleted']);
  const again = await make('gone@example.com');
  assert.notEqual(again, id);
  const done = await runCatalytic(['accounts', 'delete', 'gone@example.com', '--json'], { DATA_DIR: dataDir });
  assert.deepEqual(JSON.parse(done.stdout), { id: again, ...revoked });
});

test('registration is a setting of the tenant, and a stranger cannot tell tenants by its refusals', async () => {
  const id = await makeTenant('club');
  const register = (email: string, more: object = {}): Promise<Answer> =>
    post(`${url}/auth/register`, { email, password: goodPassword, tenant: 'club', ...more });
  const set = (registration: string) => admin(`tenants/${id}/registration`, { registration });
  const refusals = [
    await register('a@club.example'),
    await register('a@club.example', { invitation: 'cin_guess' }),
    await register('a@club.example', { tenant: 'nowhere' }),
    await register('a@club.example', { tenant: 'nowhere', invitation: 'cin_guess' }),
  ];
  const known = { ...refusals[0]?.body, request_id: '' };
  for (const refusal of refusals) {
    assertProblem(refusal, 'registration_refused');
    assert.deepEqual({ ...refusal.body, request_id: '' }, known);
  }
  const invited = await admin('invitations?tenant=club');
  assert.equal(invited.status, 201, invited.text);
  const invitation = String(invited.body['invitation']);
  const answers = await Promise.all(['b', 'c', 'd'].map((name) => register(`${name}@club.example`, { invitation })));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 403, 403]);
  const made = await runCatalytic(['accounts', 'invite', '--tenant', 'club'], { DATA_DIR: dataDir });
  assert.equal((await register('e@club.example', { invitation: made.stdout.trim() })).status, 201, made.stderr);

  const closed = await set('closed');
  assert.deepEqual([closed.status, closed.body['registration']], [200, 'closed']);
  const late = String((await admin('invitations?tenant=club')).body['invitation']);
  assertProblem(await register('f@club.example', { invitation: late }), 'registration_refused');
  await make('administrator-made@club.example', 'club');
  const opened = await runCatalytic(['tenants', 'set-registration', 'club', 'open', '--json'], { DATA_DIR: dataDir });
  assert.equal((JSON.parse(opened.stdout) as Record<string, unknown>)['registration'], 'open');
  assert.equal((await register('f@club.example')).status, 201);

  assertProblem(await set('ajar'), 'body_invalid');
  assertProblem(await admin(`tenants/${randomUUID()}/registration`, { registration: 'open' }), 'tenant_not_found');
  const bound = addAdminKey(dataDir, everything, 'club');
  assertProblem(await admin(`tenants/${id}/registration`, { registration: 'open' }, bound), 'admin_scope_insufficient');
  assert.equal((await admin('invitations', undefined, bound)).status, 201, 'to its own tenant');
  assertProblem(await admin('invitations?tenant=default', undefined, bound), 'admin_scope_insufficient');
  assert.ok(!rowsOf(dataDir, 'select * from invitation').some((row) => JSON.stringify(row).includes('cin_')));
});
