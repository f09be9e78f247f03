import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { Client, type ClientConfig } from 'pg';
import { query } from '../harness/postgres/query.ts';
import { needsPostgres } from '../harness/postgres.ts';
import { createDatabase, sharedServer } from '../harness/postgres-engine.ts';
import { folderIn, freePort, runCatalytic, serviceIn, serviceOn } from '../harness/service.ts';

const { test } = nodeTest;
/** What any machine that runs the tests can give. */
const small = { MAX_CONNECTIONS: 100, BACKLOG: 1, HASH_LANES: 1, PORT: 0 };

test('a machine that is large enough is well; a warning and a failure have their exit codes', async (t) => {
  const settings = { ...small, DATA_DIR: folderIn(t) };
  chmodSync(settings.DATA_DIR, 0o700);
  const well = await runCatalytic(['doctor', '--no-measure'], settings);
  assert.equal(well.code, 0, well.stdout + well.stderr);
  assert.ok(
    well.stdout
      .trimEnd()
      .split('\n')
      .every((line) => line.startsWith('ok ')),
  );
  const unused = await runCatalytic(['doctor', '--no-measure'], { ...settings, REDIS_HOST: '127.0.0.1' });
  assert.equal(unused.code, 1, unused.stdout);
  assert.match(unused.stdout, /^warning {2}Redis is configured and not used: .*set DATABASE_URL/m);

  chmodSync(settings.DATA_DIR, 0o755);
  const warned = await runCatalytic(['doctor', '--no-measure'], settings);
  assert.equal(warned.code, 1, warned.stdout);
  assert.match(warned.stdout, /^warning {2}DATA_DIR .*chmod 700/m);

  const key = join(settings.DATA_DIR, 'master.key');
  writeFileSync(key, '');
  chmodSync(key, 0o644);
  const failed = await runCatalytic(['doctor', '--no-measure'], settings);
  assert.equal(failed.code, 2, failed.stdout);
  assert.match(failed.stdout, /^failure {2}.*chmod 600/m);
});

test('what was measured is told with what it means in users', async (t) => {
  const settings = { ...small, DATA_DIR: folderIn(t) };
  const { code, stdout, stderr } = await runCatalytic(['doctor', '--json'], settings);
  assert.ok(code === 0 || code === 1, stdout + stderr);
  const told = JSON.parse(stdout) as {
    exit_code: number;
    hashing: {
      capacity: number;
      quickest: string;
      others_percent: number | null;
      settings: { setting: string; per_second: number }[];
    };
    flush_ms: { median: number; p99: number };
    limits: { name: string; users: number }[];
  };
  assert.equal(told.exit_code, code);
  const { capacity, quickest, settings: measured } = told.hashing;
  assert.deepEqual(
    measured.map(({ setting }) => setting),
    [...['m=19456,t=2,p=1', 'm=47104,t=1,p=1', 'm=12288,t=3,p=1', 'm=9216,t=4,p=1', 'm=7168,t=5,p=1']],
  );
  assert.ok(capacity > 0 && measured[0]?.per_second === capacity);
  const percent = told.hashing.others_percent;
  assert.ok(percent === null ? !existsSync('/proc/stat') : percent >= 0 && percent <= 100, String(percent));
  const best = Math.max(...measured.map(({ per_second }) => per_second));
  assert.equal(measured.find(({ per_second }) => per_second === best)?.setting, quickest);
  assert.ok(told.flush_ms.median > 0 && told.flush_ms.p99 >= told.flush_ms.median);
  const users = Object.fromEntries(told.limits.map(({ name, users: count }) => [name, count]));
  assert.equal(users['connections'], 100);
  assert.equal(users['burst'], 1);
  assert.ok(Math.abs((users['hashing'] ?? 0) - capacity / 0.156) < 1);
  assert.deepEqual(readdirSync(settings.DATA_DIR), [], 'nothing is left behind');
});

test('a port that is taken is told before the start, perhaps by the service itself, and so is an address of another machine', async (t) => {
  const { port } = new URL((await serviceIn(t)).url);
  const settings = { ...small, DATA_DIR: folderIn(t) };
  chmodSync(settings.DATA_DIR, 0o700);
  for (const name of ['PORT', 'OPERATE_PORT']) {
    const taken = await runCatalytic(['doctor', '--no-measure'], { ...settings, [name]: port });
    assert.equal(taken.code, 1, taken.stdout + taken.stderr);
    const line = `^warning {2}${name} ${port} is taken on 127\\.0\\.0\\.1, perhaps by the service itself; else .*another ${name}$`;
    assert.match(taken.stdout, new RegExp(line, 'm'));
  }
  const free = await runCatalytic(['doctor', '--no-measure'], { ...settings, PORT: await freePort() });
  assert.match(free.stdout, /^ok {7}PORT \d+ is free on 127\.0\.0\.1$/m);
  const elsewhere = await runCatalytic(['doctor', '--no-measure'], {
    ...settings,
    ...{ PORT: 8000, HOST: '192.0.2.1', TRUSTED_PROXIES: '192.0.2.2', ISSUER: 'https://id.example.com' },
  });
  assert.equal(elsewhere.code, 2, elsewhere.stdout);
  assert.match(elsewhere.stdout, /^failure {2}PORT \d+ of 192\.0\.2\.1 cannot be listened on: /m);
});

test('the hash capacity is a sentence for people, and JSON for scripts', async () => {
  const words = ['hash-capacity', '--seconds', '0.3', '--hash-lanes', '1'];
  const [people, script] = [await runCatalytic(words), await runCatalytic([...words, '--json'])];
  assert.match(
    people.stdout,
    /^Hash capacity C is \d+\.\d passwords\/s: \d+ in \d+\.\d s with 1 lanes?[^\n]*\.\nA sign-in /,
  );
  const { lanes, per_second: perSecond } = JSON.parse(script.stdout) as { lanes: number; per_second: number };
  assert.ok(lanes === 1 && perSecond > 0, script.stdout);
});

test('a start warns of too few open files', async (t) => {
  const service = await serviceIn(t, { MAX_CONNECTIONS: 1_000_000, BACKLOG: 65_535 });
  const limit = await new Promise<string>((resolve) => {
    spawn('sh', ['-c', 'ulimit -Hn']).stdout.once('data', (text: Buffer) => resolve(text.toString().trim()));
  });
  if (limit === 'unlimited' || Number(limit) > 1_000_000) return t.skip(`${limit} open files are allowed here`);
  await service.end();
  assert.match(service.output(), /"level":"warn".*open files are allowed.*ulimit -n 1000100/);
  return undefined;
});

nodeTest.suite('with PostgreSQL', needsPostgres(), () => {
  const server = sharedServer(nodeTest, { synchronous_commit: 'off', full_page_writes: 'off' });

  test('what the server and the role lack is told, without a password', async (t) => {
    const { url, adminUrl } = await createDatabase(await server());
    const settings = { ...small, DATA_DIR: folderIn(t), DATABASE_POOL_SIZE: 60, WORKERS: 2 };
    const own = await runCatalytic(['doctor', '--no-measure'], { ...settings, DATABASE_URL: url });
    assert.equal(own.code, 1, own.stdout + own.stderr);
    for (const line of [
      /^ok {7}Role catalytic obeys/m,
      /^ok {7}Role catalytic may make the tables/m,
      /^warning {2}PostgreSQL allows 117 connections.*27 kept.* = 56, fewer .*max_connections = 132/m,
      /^warning {2}synchronous_commit is off/m,
      /^ok {7}fsync is on/m,
      /^warning {2}full_page_writes is off/m,
      /^ok {7}No standby/m,
    ])
      assert.match(own.stdout, line);

    const superuser = await runCatalytic(['doctor', '--no-measure'], { ...settings, DATABASE_URL: adminUrl });
    assert.equal(superuser.code, 1, superuser.stdout);
    assert.match(superuser.stdout, /^warning {2}Role postgres bypasses.*CREATE ROLE "catalytic" LOGIN NOSUPERUSER/m);
    assert.match(superuser.stdout, /ALTER DATABASE "engine_\d+" OWNER TO catalytic/);
    assert.ok(!superuser.stdout.includes(new URL(adminUrl).password));

    const nowhere = `postgres://catalytic:canary@127.0.0.1:${await freePort()}/none`;
    const away = await runCatalytic(['doctor', '--no-measure'], {
      ...settings,
      DATABASE_URL: nowhere,
      DATABASE_REPLICA_URLS: `${url},${nowhere}`,
    });
    assert.equal(away.code, 2, away.stdout);
    assert.match(away.stdout, /^failure {2}The database that DATABASE_URL names cannot be used: .*ECONNREFUSED/m);
    assert.match(away.stdout, /^warning {2}Replica 1 has no tables/m);
    assert.match(away.stdout, /^warning {2}Replica 2 cannot be used/m);
    assert.ok(!away.stdout.includes('canary'));
  });

  test('an asynchronous standby is told, once the role may see it', async (t) => {
    const { url, adminUrl } = await createDatabase(await server());
    const settings = { ...small, DATA_DIR: folderIn(t), DATABASE_URL: url };
    // What a standby is to its primary: a connection that asks for the log.
    const standby = new Client({ connectionString: adminUrl, replication: 'true' } as ClientConfig);
    await standby.connect();
    t.after(() => standby.end());
    const hidden = await runCatalytic(['doctor', '--no-measure'], settings);
    assert.match(hidden.stdout, /^warning {2}Standbys .*GRANT pg_read_all_stats TO "catalytic"/m);
    await query(adminUrl, 'grant pg_read_all_stats to catalytic');
    const seen = await runCatalytic(['doctor', '--no-measure'], settings);
    assert.match(seen.stdout, /^warning {2}1 of 1 standbys are asynchronous.*synchronous_standby_names/m);
  });

  test('tables of somebody else cannot be brought up to date', async (t) => {
    const { url, adminUrl } = await createDatabase(await server());
    const settings = { ...small, DATA_DIR: folderIn(t), DATABASE_URL: url, WORKERS: 1 };
    const service = await serviceOn(t, settings.DATA_DIR, settings);
    const served = await runCatalytic(['doctor', '--no-measure'], settings);
    assert.match(served.stdout, /^ok {7}The tables belong to catalytic/m);
    await service.end();
    await query(adminUrl, 'alter table tenant owner to postgres');
    const { code, stdout } = await runCatalytic(['doctor', '--no-measure'], settings);
    assert.equal(code, 2, stdout);
    assert.match(stdout, /^failure {2}The tables belong to postgres.*OWNER TO "catalytic"/m);
  });
});
