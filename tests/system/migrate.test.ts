import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { importLines, passwordHash, readLabKey } from '../harness/accounts.ts';
import { get, goodPassword, logOut, refresh, signIn, signUp, tokensOf } from '../harness/client.ts';
import { rowsOf, withDatabase } from '../harness/database.ts';
import { operateUrlOf } from '../harness/operate-url.ts';
import { query } from '../harness/postgres/query.ts';
import { needsPostgres } from '../harness/postgres.ts';
import { createDatabase, sharedServer } from '../harness/postgres-engine.ts';
import { folderIn, runCatalytic, serviceOn } from '../harness/service.ts';

const astral = '𝔸da "\\" 𐍈\u{1F511}';
const columns = {
  tenant: 'id, name, status, epoch, created_at',
  account: 'id, tenant_id, email, email_key, password_hash, status, epoch, created_at',
  session:
    'id, tenant_id, account_id, account_epoch, tenant_epoch, authenticated_at, created_at, expires_at, ended_at, end_reason',
  refresh_token: 'hash, tenant_id, session_id, expires_at, used_at, successor_hash, successor_box',
  journal: 'id, kind, key, epoch, keep_until, tenant_id',
  signing_key: 'kid, algorithm, public_jwk, private_box, created_at, activates_at, retires_at',
  admin_key: 'hash, tenant_id, description, created_at',
  guard_key: 'hash, tenant_id, description, guards_max, expires_at, created_at, marks, marked_at',
  audit: 'at, event, reason, tenant_id, account_id, session_id, subject, actor, address, request_id, count',
};

/** A value of SQLite as PostgreSQL writes it in text. */
const asText = (value: unknown): string | null => {
  if (value === null) return null;
  return value instanceof Uint8Array ? `\\x${Buffer.from(value).toString('hex')}` : String(value);
};
const sorted = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).sort();

nodeTest.suite('moving to PostgreSQL', needsPostgres(), () => {
  const server = sharedServer(nodeTest);

  nodeTest.test('everything goes on where it was, and what was revoked stays revoked', async (t) => {
    const { url, adminUrl } = await createDatabase(await server());
    const dataDir = folderIn(t);
    const settings = { DATA_DIR: dataDir, ISSUER: 'https://auth.example.com', ACCESS_TOKEN_SECONDS: 600 };
    const embedded = await serviceOn(t, dataDir, settings);
    const revoked = await signUp(embedded.url, 'ada@example.com');
    const traded = await signIn(embedded.url, 'ada@example.com');
    const untouched = await signIn(embedded.url, 'ada@example.com');
    const successor = tokensOf(await refresh(embedded.url, traded.refresh));
    assert.equal((await logOut(embedded.url, revoked.access)).status, 200);
    // More than one batch.
    const hash = passwordHash(goodPassword);
    const lines = Array.from({ length: 1300 }, (_, index) =>
      JSON.stringify({ email: `many-${index}@example.com`, password_hash: hash, roles: [astral, 'reader'] }),
    );
    assert.equal((await importLines(operateUrlOf(embedded), readLabKey(dataDir), lines.join('\n'))).status, 200);

    const refused = await runCatalytic(['migrate'], { ...settings, DATABASE_URL: url });
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /a server process uses it/);
    await embedded.end();

    const bytes = randomBytes(300);
    const guard = randomUUID();
    withDatabase(dataDir, (database) => {
      const key = database.prepare('insert into admin_key (hash, scopes, description, created_at) values (?, ?, ?, 1)');
      key.run(createHash('sha256').update(bytes).digest(), '["accounts:import"]', astral);
      const guardKey = database.prepare(
        `insert into guard_key (hash, tenant_id, description, guards_max, created_at, marks, marked_at)
         select ?, id, ?, 7, 1, 2, 3 from tenant where name = 'default'`,
      );
      guardKey.run(createHash('sha256').update(astral).digest(), astral);
      database.exec(
        `insert into member (id, state, lease_ms, applied, kind, key, name, kinds)
         values ('${guard}', 'live', 100, 1, 'guard', 'abc', 'api', 'session'), ('${randomUUID()}', 'live', 100, 1, 'worker', null, null, null)`,
      );
      // Bytes of every value, whatever a refresh token looks like today.
      database.prepare('update refresh_token set successor_box = ? where successor_box is not null').run(bytes);
      database.exec('update deployment set generation = 7');
      const event = database.prepare('insert into audit (at, event, session_id) values (?, ?, ?)');
      for (const at of [2, 3, 1]) event.run(at, `event_${at}`, at === 3 ? null : revoked.session);
    });
    const before = Object.fromEntries(
      Object.entries(columns).map(([table, list]) => [
        table,
        rowsOf(dataDir, `select ${list} from ${table}`).map((row) => Object.values(row).map(asText)),
      ]),
    );
    const rolesBefore = rowsOf(dataDir, 'select id, roles from account').map(({ id, roles }) => [
      id,
      JSON.parse(String(roles)),
    ]);

    const moved = await runCatalytic(['migrate'], { ...settings, DATABASE_URL: url });
    assert.equal(moved.code, 0, moved.stderr);
    assert.match(moved.stderr, /account: 1301 of 1301 rows/);
    for (const [table, list] of Object.entries(columns)) {
      const rows = await query(adminUrl, `select ${list} from ${table}`);
      assert.ok(rows.length > 0, table);
      assert.deepEqual(sorted(rows), sorted(before[table] ?? []), table);
    }
    const roles = await query(adminUrl, 'select id, array_to_json(roles) from account');
    assert.deepEqual(sorted(roles.map(([id, list]) => [id, JSON.parse(String(list))])), sorted(rolesBefore));
    const events = (await query(adminUrl, 'select event from audit order by pos')).map(([event]) => event);
    assert.deepEqual(
      events,
      before['audit']?.map((row) => row[1]),
    );
    assert.deepEqual(await query(adminUrl, 'select generation, token_seconds_max from deployment'), [['8', '600']]);

    assert.deepEqual(
      await query(adminUrl, 'select id, state, lease_ms, applied, kind, key, name, kinds from member'),
      [[guard, 'leaving', '100', null, 'guard', 'abc', 'api', 'session']],
      'its lease may run on; it registers anew in the new history',
    );

    const stale = await runCatalytic(['serve'], settings);
    assert.equal(stale.code, 2);
    assert.match(stale.stderr, /moved to PostgreSQL; set DATABASE_URL/);
    assert.ok(existsSync(join(dataDir, 'catalytic.db.moved')));

    const service = await serviceOn(t, dataDir, { ...settings, DATABASE_URL: url, WORKERS: 1 });
    const verify = async (token: string): Promise<number> => (await get(`${service.url}/auth/verify`, token)).status;
    assert.equal(await verify(revoked.access), 401);
    assert.equal((await refresh(service.url, revoked.refresh)).status, 401);
    assert.equal(await verify(traded.access), 200);
    assert.equal(await verify(successor.access), 200);
    assert.equal(await verify(tokensOf(await refresh(service.url, successor.refresh)).access), 200);
    assert.equal((await logOut(service.url, untouched.access)).status, 200);
    assert.equal(await verify(untouched.access), 401);
    await signIn(service.url, 'ada@example.com');
    assert.equal((await importLines(operateUrlOf(service), readLabKey(dataDir), lines[0] ?? '')).body['existing'], 1);
  });

  nodeTest.test('a database in use is refused, and a failure leaves both sides as they were', async (t) => {
    const { url, adminUrl } = await createDatabase(await server());
    const dataDir = folderIn(t);
    const settings = { DATA_DIR: dataDir, DATABASE_URL: url };
    const embedded = await serviceOn(t, dataDir);
    await signUp(embedded.url, 'ada@example.com');
    await embedded.end();

    // PostgreSQL has no text with a zero in it: fails at one of the last tables.
    const force = (description: string): void =>
      withDatabase(dataDir, (db) => void db.prepare('update admin_key set description = ?').run(description));
    force('zero \0 byte');
    const failed = await runCatalytic(['migrate'], settings);
    assert.equal(failed.code, 2);
    assert.match(failed.stderr, /Cannot move/);
    assert.deepEqual(await query(adminUrl, 'select count(*) from tenant'), [['0']]);
    assert.ok(existsSync(join(dataDir, 'catalytic.db')));

    force('mended');
    // Fails at the commit, when the file has been put aside.
    await query(
      adminUrl,
      `create function refuse() returns trigger language plpgsql as $$ begin raise 'refused at the commit'; end $$;
       create constraint trigger refuse after insert on tenant deferrable initially deferred
         for each row execute function refuse()`,
    );
    const refused = await runCatalytic(['migrate'], settings);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /refused at the commit/);
    assert.deepEqual(await query(adminUrl, 'select count(*) from tenant'), [['0']]);
    assert.ok(existsSync(join(dataDir, 'catalytic.db')));
    await query(adminUrl, 'drop function refuse cascade');

    await query(adminUrl, `insert into tenant values (gen_random_uuid(), 'other', 'active', 0, 1)`);
    const inUse = await runCatalytic(['migrate'], settings);
    assert.equal(inUse.code, 2);
    assert.match(inUse.stderr, /it is in use already/);
    assert.ok(existsSync(join(dataDir, 'catalytic.db')));

    await query(adminUrl, 'delete from tenant');
    assert.equal((await runCatalytic(['migrate', '--to', url], { DATA_DIR: dataDir })).code, 0);
    const again = await runCatalytic(['migrate'], settings);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /there is no database/);
  });
});
