/**
 * Backups of the embedded size: made beside a service that writes, and restored without giving life to anything that was revoked since.
 * @module
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { appendFileSync, chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { get, goodPassword, logOut, post, refresh, signIn, signUp, type Tokens } from '../harness/client.ts';
import { rowsOf, withDatabase } from '../harness/database.ts';
import { diskIn, needsDisk } from '../harness/disks.ts';
import { folderIn, runCatalytic, type Service, serviceOn } from '../harness/service.ts';

const ada = 'ada@example.com';
const usual = { LOGIN_CACHE_SECONDS: 600, HASH_LANES: 1, ISSUER: 'https://auth.example.com' };

const catalytic = async (dataDir: string, ...args: readonly string[]) => {
  const { code, stdout, stderr } = await runCatalytic(args, { DATA_DIR: dataDir });
  return { code, said: stdout + stderr };
};
const succeeds = async (dataDir: string, ...args: readonly string[]): Promise<string> => {
  const { code, said } = await catalytic(dataDir, ...args);
  assert.equal(code, 0, said);
  return said;
};
const isRefused = async (why: RegExp, dataDir: string, ...args: readonly string[]): Promise<void> => {
  const { code, said } = await catalytic(dataDir, ...args);
  assert.equal(code, 2, said);
  assert.match(said, why);
};

const assertDead = async ({ url }: Service, tokens: Tokens): Promise<void> => {
  assert.equal((await get(`${url}/auth/verify`, tokens.access)).status, 401);
  assert.equal((await refresh(url, tokens.refresh)).status, 401);
};

const setting = async (t: TestContext) => {
  const dataDir = folderIn(t);
  return { dataDir, safe: folderIn(t), service: await serviceOn(t, dataDir, usual) };
};

suite('backup', { concurrency: 2 }, () => {
  test('what was revoked after the backup stays revoked after the restore, and everybody signs in once', async (t) => {
    const { dataDir, safe, service } = await setting(t);
    const { url } = service;
    const [signedOut, ended, kept] = [await signUp(url, ada), await signIn(url, ada), await signIn(url, ada)];
    const backup = join(safe, 'database');

    // Sign-ins are committed while the copy is made.
    let isOver = false;
    const writing = (async () => {
      while (!isOver) await signIn(url, ada);
    })();
    const made = JSON.parse(await succeeds(dataDir, 'backup', '--to', backup, '--json')) as Record<string, unknown>;
    isOver = true;
    await writing;
    assert.equal(made['accounts'], 1);
    assert.ok(Number(made['sessions']) >= 3);
    assert.deepEqual(readdirSync(backup).sort(), ['backup.json', 'catalytic.db'], 'neither key nor a log beside it');
    assert.equal(statSync(backup).mode & 0o077, 0);
    await isRefused(/exists.*never overwrites/, dataDir, 'backup', '--to', backup);
    await isRefused(/a server process uses it; stop it/, dataDir, 'restore', backup);

    assert.equal((await logOut(url, signedOut.access)).status, 200);
    assert.equal((await post(`${url}/auth/logout-all`, undefined, ended.access)).status, 200);
    const after = await signIn(url, ada);
    await service.end();
    const guard = randomUUID();
    withDatabase(dataDir, (database) =>
      database.exec(
        `insert into member (id, state, lease_ms, applied, kind, key, name)
         values ('${guard}', 'live', 20000, 1, 'guard', 'abc', 'api')`,
      ),
    );
    const said = await succeeds(dataDir, 'restore', backup);
    const aside = /before is in (\S+);/.exec(said)?.[1] ?? '';
    assert.ok(existsSync(join(aside, 'catalytic.db')), said);
    assert.equal(rowsOf(aside, 'select id from session where id = ?', after.session).length, 1, 'as it was');
    assert.equal(rowsOf(dataDir, 'select id from session where id = ?', after.session).length, 0);
    assert.equal(rowsOf(dataDir, 'select generation from deployment')[0]?.['generation'], 2);

    const again = await serviceOn(t, dataDir, usual);
    assert.deepEqual(
      rowsOf(dataDir, "select id, state, applied, name from member where kind = 'guard' order by lease_ms").map(
        (row) => (row['name'] === 'api' ? { ...row } : row['name']),
      ),
      [{ id: guard, state: 'leaving', applied: null, name: 'api' }, 'guards of the time before'],
      'guards may accept tokens until their leases end',
    );
    for (const tokens of [signedOut, ended, kept, after]) await assertDead(again, tokens);
    const fresh = await signIn(again.url, ada);
    assert.equal((await get(`${again.url}/auth/verify`, fresh.access)).status, 200);
  });

  test('database and key go together or apart; another machine needs both, or a new key', async (t) => {
    const { dataDir, safe, service } = await setting(t);
    await signUp(service.url, ada);
    await service.end();
    const [all, database, key] = ['all', 'database', 'key'].map((name) => join(safe, name)) as [string, string, string];
    assert.match(await succeeds(dataDir, 'backup', '--with-key', '--to', all), /WARNING.*has everything/);
    assert.match(await succeeds(dataDir, 'backup', '--to', database), /master key is not in it/);
    await succeeds(dataDir, 'backup', '--key-only', '--to', key);
    assert.deepEqual(readFileSync(join(key, 'master.key')), readFileSync(join(dataDir, 'master.key')));
    assert.equal(statSync(join(all, 'master.key')).mode & 0o777, 0o600);

    const fresh = join(safe, 'fresh');
    await isRefused(/no master key.*--key FILE.*--new-master-key/, fresh, 'restore', database);
    await isRefused(/holds the master key only/, fresh, 'restore', key);
    assert.deepEqual(readdirSync(fresh), ['serve.lock'], 'nothing was touched');
    await succeeds(fresh, 'restore', database, '--key', key);
    const served = await serviceOn(t, fresh, usual);
    assert.equal((await post(`${served.url}/auth/login`, { email: ada, password: goodPassword })).status, 200);
    await succeeds(join(safe, 'other'), 'restore', database, '--new-master-key', '--json');
  });

  test('a backup that is not whole is neither made nor restored', async (t) => {
    const { dataDir, safe, service } = await setting(t);
    await signUp(service.url, ada);
    await service.end();
    const backup = join(safe, 'database');
    await succeeds(dataDir, 'backup', '--to', backup);
    const before = readFileSync(join(dataDir, 'catalytic.db'));
    appendFileSync(join(backup, 'catalytic.db'), 'x');
    await isRefused(/is not what was backed up.*SHA-256 differs/, dataDir, 'restore', backup);
    rmSync(join(backup, 'catalytic.db'));
    await isRefused(/no such file/, dataDir, 'restore', backup);
    assert.deepEqual(readFileSync(join(dataDir, 'catalytic.db')), before, 'nothing was touched');

    // A page in the middle is torn: a copy of it would be worth nothing.
    before.fill(0xff, 6 * 4096, 7 * 4096);
    chmodSync(dataDir, 0o700);
    rmSync(join(dataDir, 'catalytic.db'));
    appendFileSync(join(dataDir, 'catalytic.db'), before, { mode: 0o600 });
    await isRefused(/damaged.*nothing was left there/, dataDir, 'backup', '--to', join(safe, 'torn'));
    await isRefused(/there is no database in/, join(safe, 'nowhere'), 'backup', '--to', join(safe, 'none'));
    assert.deepEqual(readdirSync(safe).sort(), ['database'], 'nothing half-made is left');
  });

  test('a disk without room is told before anything is written', needsDisk(), async (t) => {
    const { dataDir, service } = await setting(t);
    await signUp(service.url, ada);
    const { folder } = diskIn(t, 64);
    await isRefused(
      /database has \d+ MiB and \d+ MiB are free there/,
      dataDir,
      'backup',
      '--to',
      join(folder, 'backup'),
    );
    assert.deepEqual(readdirSync(folder), []);
  });
});
