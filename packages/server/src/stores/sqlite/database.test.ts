import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { by } from '../../features/engine.contract.ts';
import { databasePath, lockDataFolder, migrate, openDatabase, walBytes } from './database.ts';
import { openSqliteStores } from './stores.ts';

const temporaryFolder = (t: { after(clean: () => void): void }): string => {
  const folder = mkdtempSync(join(tmpdir(), 'catalytic-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

/** Runs a few lines that use the module under test in a process of their own. */
const inProcess = (code: string): { ended: Promise<string>; kill: () => void; said: Promise<void> } => {
  const module = new URL('./database.ts', import.meta.url).href;
  const child = spawn(process.execPath, ['--input-type=module', '-e', `import * as d from '${module}'; ${code}`]);
  let output = '';
  const said = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      resolve();
    });
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  return {
    ended: new Promise((resolve) => child.once('close', () => resolve(output.trim()))),
    kill: () => child.kill('SIGKILL'),
    said,
  };
};

test('of processes that migrate one database at once each migration is applied by one, and all go on', async (t) => {
  const migrations = migrate(openDatabase(databasePath(temporaryFolder(t)))).length;
  for (let round = 0; round < 3; round++) {
    const path = databasePath(temporaryFolder(t));
    const migrators = Array.from({ length: 4 }, () =>
      inProcess(`console.log(d.migrate(d.openDatabase('${path}')).length)`),
    );
    const applied = await Promise.all(migrators.map(({ ended }) => ended));
    assert.equal(
      applied.reduce((sum, count) => sum + Number(count), 0),
      migrations,
      applied.join(' | '),
    );
  }
});

test('a database of a newer version is refused', (t) => {
  const database = openDatabase(databasePath(temporaryFolder(t)));
  migrate(database);
  database.exec("insert into migration values (9999, 'from the future', 0)");
  assert.throws(() => migrate(database), /start the newer version/);
  database.close();
});

test('commits are flushed: WAL with full sync, foreign keys enforced', (t) => {
  const database = openDatabase(databasePath(temporaryFolder(t)));
  const pragma = (name: string): unknown => Object.values(database.prepare(`pragma ${name}`).get() ?? {})[0];
  assert.deepEqual([pragma('journal_mode'), pragma('synchronous'), pragma('foreign_keys')], ['wal', 2, 1]);
  database.close();
});

test('a data folder has one server at a time, and is free as soon as that process is gone', async (t) => {
  const folder = temporaryFolder(t);
  const holder = inProcess(
    `globalThis.lock = d.lockDataFolder('${folder}'); console.log('locked'); setInterval(() => {}, 1000)`,
  );
  await holder.said;
  assert.equal(lockDataFolder(folder), undefined);
  holder.kill();
  await holder.ended;
  const lock = lockDataFolder(folder);
  assert.notEqual(lock, undefined);
  lock?.close();
});

test('operations of one turn are committed together, answered each for itself, and durable', async (t) => {
  const folder = temporaryFolder(t);
  const open = () =>
    openSqliteStores(folder, (error) => {
      throw error;
    });
  const stores = open();
  const tenant = await stores.tenants.ensure({ name: 'default', nowMs: 1, by });
  const account = (name: string) => ({ email: name, emailKey: name, passwordHash: 'h', roles: [] });
  const missing = 'no such tenant' as typeof tenant.id;
  const results = await Promise.allSettled([
    ...Array.from({ length: 200 }, (_, index) =>
      stores.accounts.create({ tenantId: tenant.id, account: account(`a${index}`), nowMs: 1, by }),
    ),
    // Breaks a foreign key: undone alone.
    stores.accounts.create({ tenantId: missing, account: account('x'), nowMs: 1, by }),
  ]);
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 200);
  assert.equal(results.at(-1)?.status, 'rejected');
  await stores.close();
  const again = open();
  assert.notEqual(await again.accounts.findForLogin(tenant.id, 'a199'), undefined);
  await again.close();
  await assert.rejects(again.accounts.create({ tenantId: tenant.id, account: account('late'), nowMs: 1, by }), {
    code: 'store_unavailable',
  });
});

test('a journal position is never used twice, not even after the newest row was purged', async (t) => {
  const database = openDatabase(databasePath(temporaryFolder(t)));
  migrate(database);
  const insert = database.prepare(
    "insert into journal (id, kind, key, keep_until) values (?, 'session', 'k', 1) returning pos",
  );
  const first = insert.get('a')?.['pos'];
  database.exec('delete from journal');
  assert.ok(Number(insert.get('b')?.['pos']) > Number(first));
  database.close();
});

test('what a long read has made of the write-ahead log is cut down when the read is over', (t) => {
  const path = databasePath(temporaryFolder(t));
  const [writer, reader] = [openDatabase(path), openDatabase(path)];
  t.after(() => {
    reader.close();
    writer.close();
  });
  writer.exec('create table text (bytes blob)');
  reader.exec('begin; select count(*) from text');
  const insert = writer.prepare('insert into text values (zeroblob(?))');
  const mib = 2 ** 20;
  for (let index = 0; index < 10; index++) insert.run(8 * mib);
  assert.ok(walBytes(path) > 80 * mib);
  reader.exec('commit');
  // The first commit is checkpointed with all before it, and the next begins the log anew.
  for (let index = 0; index < 2; index++) insert.run(8);
  assert.ok(walBytes(path) <= 64 * mib, `${walBytes(path)} bytes`);
});
