/**
 * The audit trail of a real service: who did what, and what it must never hold.
 * @module
 */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { AccountId } from '@catalytic/protocol/ids';
import { AuditBuffer } from '../../packages/server/src/features/audit/audit-buffer.ts';
import { openSqliteStores } from '../../packages/server/src/stores/sqlite/stores.ts';
import { importAccounts, importLines, passwordHash, readLabKey } from '../harness/accounts.ts';
import { addAdminKey } from '../harness/admin-key.ts';
import { type Answer, get, goodPassword, logOut, post, refresh, signIn, signUp, tokensOf } from '../harness/client.ts';
import { rowsOf, withDatabase } from '../harness/database.ts';
import { readMetrics } from '../harness/metrics.ts';
import { assertProblem } from '../harness/problems.ts';
import { folderIn, runCatalytic, serviceIn } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

const service = await serviceIn({ after }, { REFRESH_GRACE_SECONDS: 0, LOGIN_CACHE_SECONDS: 3600, AUDIT_DAYS: 1 });
const { url, dataDir } = service;

type Row = Readonly<Record<string, unknown>>;

const trail = (where = '1', ...values: string[]): readonly Row[] =>
  rowsOf(dataDir, `select * from audit where ${where} order by pos`, ...values);

/** Rows that are written a moment later. */
const soon = async (count: number, where: string, ...values: string[]): Promise<readonly Row[]> => {
  await waitUntil('the audit trail', 'grow', 5000, () => trail(where, ...values).length >= count);
  return trail(where, ...values);
};

const brief = (rows: readonly Row[]): string[] => rows.map(({ event, reason }) => `${event}:${reason}`);

const addKey = (scopes: readonly string[], tenant?: string): string => addAdminKey(dataDir, scopes, tenant);
const readAll = addKey(['audit:read']);
const list = (key: string, query = ''): Promise<Answer> => get(`${url}/admin/audit${query}`, key);
const rowsIn = ({ body }: Answer): readonly Row[] => body['rows'] as readonly Row[];

const logIn = (email: string, password = goodPassword, tenant = 'default'): Promise<Answer> =>
  post(`${url}/auth/login`, { email, password, tenant });

const accountOf = (email: string, tenant = 'default'): string => {
  const place = 'tenant_id = (select id from tenant where name = ?)';
  return String(rowsOf(dataDir, `select id from account where email_key = ? and ${place}`, email, tenant)[0]?.['id']);
};

const why = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await runCatalytic(['audit', 'why', ...args], { DATA_DIR: dataDir });
  assert.equal(code, 0, stderr);
  return stdout;
};

test('each act of a person leaves one row that says who, from where and in which request', async () => {
  const email = 'acts@example.com';
  const tokens = await signUp(url, email);
  const account = accountOf(email);
  const tenant = rowsOf(dataDir, "select id from tenant where name = 'default'")[0]?.['id'];
  await refresh(url, (await signIn(url, email)).refresh);
  assert.equal((await logOut(url, tokens.access)).status, 200);
  assert.equal((await logOut(url, tokens.access)).status, 200);
  const last = await signIn(url, email);
  assert.equal((await post(`${url}/auth/logout-all`, undefined, last.access)).status, 200);

  const rows = trail('account_id = ?', account);
  const expected = [
    ['user_created', 'registered', null],
    ['authn_login_success', 'password', tokens.session],
    ['authn_login_success', 'password', rows[2]?.['session_id']],
    ['authn_token_revoked', 'logout', tokens.session],
    ['authn_login_success', 'password', last.session],
    ['authn_token_revoked', 'logout_all', last.session],
  ];
  assert.deepEqual(
    rows.map((row) => [row['event'], row['reason'], row['session_id']]),
    expected,
  );
  for (const row of rows) {
    assert.deepEqual(
      [row['tenant_id'], row['actor'], row['address'], row['subject']],
      [tenant, 'self', '127.0.0.1', null],
    );
    assert.ok(Math.abs(Date.now() - Number(row['at'])) < 60_000);
  }
  const requests = rows.map((row) => row['request_id']);
  assert.equal(new Set(requests).size, rows.length, 'each request has its id');
});

test('a request names itself in the answer as in its row', async () => {
  const email = 'request@example.com';
  await signUp(url, email);
  const refused = await logIn(email, 'not the right password');
  const [row] = await soon(1, "account_id = ? and event = 'authn_login_fail'", accountOf(email));
  assert.equal(row?.['request_id'], refused.body['request_id']);
});

test('refused sign-ins are recorded with their reason', async () => {
  const email = 'refused@example.com';
  await signUp(url, email);
  await importAccounts(url, dataDir, [email]);
  const account = accountOf(email);
  const setStatus = (table: string, status: string, where: string): void =>
    withDatabase(dataDir, (database) => void database.exec(`update ${table} set status = '${status}' where ${where}`));
  const before = Number(rowsOf(dataDir, 'select max(pos) as pos from audit')[0]?.['pos']);
  assertProblem(await logIn(email, 'not the right password'), 'credentials_invalid');
  assertProblem(await logIn('nobody@example.com'), 'credentials_invalid');
  setStatus('account', 'disabled', `id = '${account}'`);
  assertProblem(await logIn(email), 'account_disabled');
  setStatus('tenant', 'suspended', "name = 'lab'");
  assertProblem(await logIn(email, goodPassword, 'lab'), 'tenant_suspended');
  setStatus('tenant', 'active', "name = 'lab'");
  const rows = await soon(4, `pos > ${before}`);
  assert.deepEqual(
    rows.map((row) => [row['event'], row['reason'], row['account_id'], row['actor'], row['address']]),
    [
      ['authn_login_fail', 'password_wrong', account],
      ['authn_login_fail', 'account_unknown', null],
      ['authn_login_fail', 'account_disabled', account],
      ['authn_login_fail', 'tenant_suspended', accountOf(email, 'lab')],
    ].map((row) => [...row, 'self', '127.0.0.1']),
  );
});

test('refused password changes and admin keys are recorded', async () => {
  const email = 'unchanged@example.com';
  const { access, session } = await signUp(url, email);
  const before = Number(rowsOf(dataDir, 'select max(pos) as pos from audit')[0]?.['pos']);
  const change = { current_password: 'not the right password', new_password: 'nine lanterns over it' };
  assertProblem(await post(`${url}/auth/password`, change, access), 'password_wrong');
  const guess = `cak_${randomUUID()}`;
  assertProblem(await list(guess), 'admin_key_invalid');
  const narrow = addKey(['accounts:import']);
  assertProblem(await list(narrow), 'admin_scope_insufficient');
  const rows = await soon(3, `pos > ${before} and actor = 'self'`);
  const narrowId = createHash('sha256').update(narrow).digest('hex').slice(0, 12);
  assert.deepEqual(
    rows.map((row) => [row['event'], row['reason'], row['account_id'], row['session_id'], row['subject']]),
    [
      ['authn_password_change_fail', 'password_wrong', accountOf(email), session, null],
      ['authz_fail', 'admin_key_invalid', null, null, null],
      ['authz_fail', 'admin_scope_insufficient', null, null, narrowId],
    ],
  );
  assert.deepEqual(new Set(rows.map(({ actor, address }) => `${actor} ${address}`)), new Set(['self 127.0.0.1']));
  assert.ok(!JSON.stringify(rows).includes(guess));
});

test('acts of keys, of the command line and of the service say so', async () => {
  const key = readLabKey(dataDir);
  const lines = ['one', 'two', 'one'].map((name) =>
    JSON.stringify({ email: `imported-${name}@example.com`, password_hash: passwordHash(goodPassword) }),
  );
  assert.equal((await importLines(url, key, lines.join('\n'))).body['imported'], 2);
  const keyId = createHash('sha256').update(key).digest('hex').slice(0, 12);
  const imported = trail("reason = 'imported' and account_id = ?", accountOf('imported-one@example.com', 'lab'));
  assert.deepEqual(
    imported.map(({ actor }) => actor),
    [`key:${keyId}`],
  );
  assert.deepEqual(
    trail('subject = ?', keyId).map(({ event, actor }) => [event, actor]),
    [['authn_token_created', 'system']],
  );
  const settings = { DATA_DIR: dataDir };
  const [made, rotated] = [
    await runCatalytic(['admin-keys', 'create', '--tenant', 'acme', '--scope', 'audit:read'], settings),
    await runCatalytic(['keys', 'rotate'], settings),
  ];
  assert.deepEqual([made.code, rotated.code], [0, 0], made.stderr + rotated.stderr);
  const byCli = trail("actor = 'cli'");
  assert.deepEqual(brief(byCli), [
    'authz_admin:tenant_created',
    'authn_token_created:admin_key',
    'authz_admin:signing_key_rotated',
  ]);
  assert.ok(made.stderr.includes(String(byCli[1]?.['subject'])), 'the command names the key as the trail does');
  assert.ok(rotated.stdout.includes(String(byCli[2]?.['subject'])));
  const bySystem = brief(await soon(1, "event = 'sys_startup'"));
  assert.deepEqual(bySystem, ['sys_startup:ready']);
  assert.deepEqual(brief(trail("reason = 'signing_key_created'")), ['authz_admin:signing_key_created']);
});

test('a person is told why they were logged out', async () => {
  const email = 'why@example.com';
  const out = await signUp(url, email);
  await logOut(url, out.access);
  const stolen = await signIn(url, email);
  await refresh(url, tokensOf(await refresh(url, stolen.refresh)).refresh);
  assertProblem(await refresh(url, stolen.refresh), 'refresh_reused');
  const [swept, asking] = [await signIn(url, email), await signIn(url, email)];
  await post(`${url}/auth/logout-all`, undefined, asking.access);
  const [expired, live] = [await signIn(url, email), await signIn(url, email)];
  withDatabase(dataDir, (database) =>
    database.prepare('update session set expires_at = ? where id = ?').run(Date.now() - 5000, expired.session),
  );
  const said = (await why('--account', email)).trim().split('\n');
  const pattern = (session: string, words: string): RegExp => new RegExp(`^Session ${session}: it ${words}`);
  const time = String.raw`\d{4}-\d{2}-\d{2}T[\d:.]+Z`;
  for (const [index, [session, words]] of [
    [live.session, 'is still live'],
    [expired.session, `expired at ${time}`],
    [asking.session, `was ended at ${time} by a sign-out everywhere, from address 127.0.0.1`],
    [swept.session, `was ended at ${time} by a sign-out everywhere from session ${asking.session}, from address`],
    [stolen.session, `was ended at ${time} by a refresh token that was used twice, from address 127.0.0.1`],
    [out.session, `was ended at ${time} by a sign-out, from address 127.0.0.1 \\(request `],
  ].entries())
    assert.match(said[index] ?? '', pattern(String(session), String(words)));
  assert.equal(said.length, 6);
  assert.match(await why('--session', swept.session), /by a sign-out everywhere from session/);

  const listed = await runCatalytic(
    ['audit', 'list', '--account', email, '--event', 'authn_token_reuse', '--since', '1h', '--json'],
    { DATA_DIR: dataDir },
  );
  const shown = listed.stdout.trim().split('\n');
  assert.equal(shown.length, 1, listed.stderr);
  assert.equal((JSON.parse(shown[0] ?? '') as Row)['session_id'], stolen.session);
});

test('the trail is read in pages, by every filter, with the right key', async () => {
  const email = 'reader@example.com';
  const { session, access } = await signUp(url, email);
  await logOut(url, access);
  const account = accountOf(email);
  assert.deepEqual(brief(rowsIn(await list(readAll, `?account=${account}`))), [
    'authn_token_revoked:logout',
    'authn_login_success:password',
    'user_created:registered',
  ]);
  const found = rowsIn(await list(readAll, `?session=${session}&event=authn_login_success&since=1h&tenant=default`));
  assert.equal(found[0]?.['request_id'], trail('session_id = ?', session)[0]?.['request_id']);
  assert.deepEqual(rowsIn(await list(readAll, `?session=${session}&tenant=lab`)), []);

  const total = trail().length;
  const seen: Row[] = [];
  for (let cursor = ''; ; ) {
    const page = await list(readAll, `?limit=7${cursor}`);
    seen.push(...rowsIn(page));
    if (page.body['next_cursor'] === undefined) break;
    cursor = `&cursor=${page.body['next_cursor']}`;
  }
  assert.equal(seen.length, total);
  for (const query of ['?event=any', '?since=yesterday', '?limit=0', '?limit=1001', '?account=x', '?cursor=-1', '?x=1'])
    assertProblem(await list(readAll, query), 'body_invalid', query);
  assertProblem(await list(readAll, '?tenant=none'), 'tenant_unknown');
  assertProblem(await list(readLabKey(dataDir)), 'admin_scope_insufficient');
  assertProblem(await list(access), 'admin_key_invalid');
});

test('a key that is bound to a tenant reads the rows of that tenant only', async () => {
  const lab = addKey(['audit:read'], 'lab');
  await importAccounts(url, dataDir, ['bound@example.com']);
  await signUp(url, 'foreign@example.com');
  const own = String(rowsOf(dataDir, "select id from tenant where name = 'lab'")[0]?.['id']);
  const seen = [...rowsIn(await list(lab, '?limit=1000')), ...rowsIn(await list(lab, '?tenant=lab'))];
  assert.ok(seen.length > 0);
  assert.deepEqual([...new Set(seen.map((row) => row['tenant_id']))], [own]);
  const [foreign] = trail("event = 'authn_login_success' and tenant_id <> ?", own);
  assert.deepEqual(rowsIn(await list(lab, `?session=${foreign?.['session_id']}`)), []);
  assert.deepEqual(rowsIn(await list(lab, `?account=${foreign?.['account_id']}`)), []);
  for (const tenant of ['default', 'none'])
    assertProblem(await list(lab, `?tenant=${tenant}`), 'admin_scope_insufficient', tenant);
});

test('rows cannot be changed, and none goes before the clock of a new process can be believed', async () => {
  const change = (sql: string) => withDatabase(dataDir, (database) => database.exec(sql));
  assert.throws(() => change("update audit set reason = 'logout'"), /never changed/);
  change("insert into audit (at, event, subject) values (0, 'sys_startup', 'old')");
  await delay(1500);
  assert.equal(trail("subject = 'old'").length, 1, 'the clock may have been wrong when the process started');
});

const dropped = async (): Promise<number> =>
  readMetrics((await get(`${url}/metrics`)).text).get('catalytic_audit_dropped_total{worker="1"}') ?? Number.NaN;

test('a refusal is answered although its row cannot be written, which is counted and said once', async () => {
  const email = 'unwritten@example.com';
  const { access } = await signUp(url, email);
  const change = (sql: string) => withDatabase(dataDir, (database) => database.exec(sql));
  // Rows are written in order: once this one is there, none of those before it still waits, and would be dropped as well.
  assertProblem(await logIn(email, 'not the right password'), 'credentials_invalid');
  await soon(1, "account_id = ? and event = 'authn_login_fail'", accountOf(email));
  assert.equal(await dropped(), 0);
  change('alter table audit rename to hidden_audit');
  try {
    for (const expected of [1, 2]) {
      assertProblem(await logIn(email, 'not the right password'), 'credentials_invalid');
      await waitUntil('the service', 'count', 5000, async () => (await dropped()) === expected);
    }
    // What cannot be recorded with its row does not happen.
    assertProblem(await logOut(url, access), 'revocation_unknown');
    assert.equal((await get(`${url}/auth/verify`, access)).status, 200);
  } finally {
    change('alter table hidden_audit rename to audit');
  }
  assert.equal((await logOut(url, access)).status, 200);
  assert.equal(service.output().split('Dropping rows of the audit trail').length, 2, 'told once');
});

/** A buffer over a real database that another connection can hold, as on a slow disk. */
const heldBuffer = (t: TestContext) => {
  const folder = folderIn(t);
  const stores = openSqliteStores(folder, () => {});
  t.after(() => stores.close());
  let dropped = 0;
  const buffer = new AuditBuffer({
    store: stores.audit,
    nowMs: () => performance.now(),
    onDropped: (acts) => {
      dropped += acts;
    },
    onProblem: () => {},
  });
  const holder = new DatabaseSync(join(folder, 'catalytic.db'), { timeout: 5000 });
  t.after(() => holder.close());
  const rows = (reason: string): readonly Row[] => rowsOf(folder, 'select * from audit where reason = ?', reason);
  const acts = (reason: string): number => rows(reason).reduce((sum, { count }) => sum + Number(count ?? 1), 0);
  return { buffer, holder, rows, acts, dropped: () => dropped };
};
const from = (address: string) => ({ actor: 'self', address, requestId: null }) as const;

test('a storm of equal refusals is one row with their number', async (t) => {
  const { buffer, holder, rows, acts, dropped } = heldBuffer(t);
  const add = (times: number): void => {
    for (let time = 0; time < times; time++)
      buffer.add({ event: 'authn_login_fail', reason: 'password_wrong', atMs: Date.now(), by: from('192.0.2.1') });
  };
  holder.exec('begin immediate');
  add(1600);
  await delay(500);
  add(300);
  holder.exec('commit');
  await waitUntil('the buffer', 'empty', 10_000, () => acts('password_wrong') === 1900);
  assert.equal(rows('password_wrong').length, 2, 'one was on its way, and one waited');
  add(5);
  await buffer.close();
  assert.equal(acts('password_wrong'), 1905, 'a stop writes what waits');
  assert.equal(dropped(), 0);
});

test('a storm of refusals that cost nothing displaces no other, and takes a bounded number of rows', async (t) => {
  const { buffer, holder, rows, acts, dropped } = heldBuffer(t);
  const victims = Array.from({ length: 40 }, () => randomUUID() as AccountId);
  const storm = (): void => {
    for (let time = 0; time < 5000; time++)
      buffer.add({ event: 'authz_fail', reason: 'admin_key_invalid', atMs: Date.now(), by: from(`192.0.2.${time}`) });
  };
  holder.exec('begin immediate');
  storm();
  for (const accountId of victims)
    buffer.add({ event: 'authn_login_fail', reason: 'password_wrong', accountId, atMs: Date.now(), by: from('::1') });
  storm();
  await delay(500);
  holder.exec('commit');
  await waitUntil('the buffer', 'write the rest', 10_000, () => rows('password_wrong').length === 40);
  // However long the storm goes on, the rows are few.
  for (let round = 0; round < 10; round++) {
    storm();
    await delay(100);
  }
  await buffer.close();
  assert.equal(acts('admin_key_invalid'), 60_000, 'each is counted');
  assert.ok(rows('admin_key_invalid').length < 150, `${rows('admin_key_invalid').length} rows`);
  assert.equal(dropped(), 0);
});

test('a flood of junk admin keys hides no refused sign-in', async () => {
  const email = 'besieged@example.com';
  await signUp(url, email);
  const junk = async (): Promise<void> => assertProblem(await list('cak_junk'), 'admin_key_invalid');
  const guess = (): Promise<Answer> => logIn(email, 'not the right password');
  let refused = 0;
  while (refused < 40) {
    const guesses = Array.from({ length: Math.min(8, 40 - refused) }, guess);
    // Junk that never paused would keep the CPU from the process that hashes, and the test would last a minute.
    await Promise.all(Array.from({ length: 300 }, junk));
    refused += (await Promise.all(guesses)).filter(({ status }) => status === 401).length;
  }
  const recorded = (): number =>
    trail("account_id = ? and reason = 'password_wrong'", accountOf(email)).reduce(
      (sum, { count }) => sum + Number(count ?? 1),
      0,
    );
  await waitUntil('the audit trail', 'hold all 40', 5000, () => recorded() >= 40);
  assert.equal(recorded(), 40);
});

test('no row holds an email, a password or a token', async () => {
  const email = 'canary-audit@example.com';
  const tokens = await signUp(url, email);
  const next = tokensOf(await refresh(url, tokens.refresh));
  const typed = 'a password typed where the email goes';
  await logIn(typed);
  await logIn('canary-unknown@example.com', 'canary of a wrong password');
  await logIn(email, 'canary of a wrong password');
  await refresh(url, tokens.refresh);
  await soon(1, "reason = 'password_wrong' and account_id = ?", accountOf(email));
  const whole = JSON.stringify(trail());
  const secrets = [tokens, next].flatMap(({ access, refresh: token }) => [token, ...access.split('.').slice(1)]);
  const canaries = ['canary', '@example.com', 'typed', 'lanterns', goodPassword, readLabKey(dataDir), readAll];
  for (const text of [...canaries, ...secrets]) assert.ok(!whole.includes(text), `a row holds ${text}`);
});

test('after kill -9 every act that was answered has its one row, and no row tells of an act that was not', async () => {
  const email = 'killed@example.com';
  await signUp(url, email);
  const answered: { session: string; isOut: boolean }[] = [];
  let isOver = false;
  const person = async (): Promise<void> => {
    while (!isOver) {
      const login = await logIn(email).catch(() => undefined);
      if (login === undefined) return;
      const { session, access } = tokensOf(login);
      const mine = { session, isOut: false };
      answered.push(mine);
      mine.isOut = (await logOut(url, access).catch(() => undefined))?.status === 200;
    }
  };
  const people = Array.from({ length: 8 }, person);
  await delay(700);
  await service.end('SIGKILL');
  isOver = true;
  await Promise.all(people);
  const account = accountOf(email);
  const sessionsOf = (reason: string): unknown[] =>
    trail('account_id = ? and reason = ?', account, reason).map((row) => row['session_id']);
  const [opened, ended] = [sessionsOf('password'), sessionsOf('logout')];
  const stored = (where: string): unknown[] =>
    rowsOf(dataDir, `select id from session where account_id = ? and ${where}`, account).map(({ id }) => id);
  assert.ok(answered.filter(({ isOut }) => isOut).length > 5, `${answered.length} answered`);
  for (const { session, isOut } of answered) {
    assert.ok(opened.includes(session), session);
    assert.ok(!isOut || ended.includes(session), session);
  }
  assert.deepEqual(opened.sort(), stored('1').sort(), 'a row for each session, and none more');
  assert.deepEqual(ended.sort(), stored('ended_at is not null').sort());
});
