/**
 * The PostgreSQL of the tests itself: it survives what tests do to it, and nothing of it survives the tests.
 * @module
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { listProcesses, treeOf } from '@catalytic/lab/process-tree';
import { startOwner } from './owner.ts';
import { findServer } from './postgres/find-server.ts';
import { needsPostgres, postgresIn } from './postgres.ts';
import { waitUntil } from './wait-until.ts';

const goneMsMax = 10_000;
const nowhere = { path: '/nothing-here', installed: '/nothing-here', cache: '/dev/null/nothing-here' };

suite('a PostgreSQL server for tests', needsPostgres(), () => {
  test('keeps its data over kill, crash, pause and every way of stopping', async () => {
    const server = await postgresIn({ after }, { max_connections: 17 });
    assert.deepEqual(await server.sql("show fsync; select current_setting('max_connections')"), [['on'], ['17']]);
    await server.sql('create table kept (word text)');
    const add = (word: string) => server.sql(`insert into kept values ('${word}')`);

    await add('kill');
    await server.kill();
    await assert.rejects(server.sql('select 1'), /ECONNREFUSED/);
    await server.start();

    await add('crash');
    const { pid } = server;
    await server.crashBackgroundProcess();
    assert.equal(server.pid, pid, 'the postmaster goes on');

    await add('pause');
    server.pause();
    const held = add('resume');
    assert.equal(await Promise.race([held, delay(300, 'no answer')]), 'no answer');
    server.resume();
    await held;

    for (const mode of ['smart', 'fast', 'immediate'] as const) {
      await add(mode);
      await server.stop(mode);
      assert.deepEqual(treeOf(server.pid), []);
      await server.start();
    }
    assert.deepEqual((await server.sql('select word from kept')).flat(), [
      'kill',
      'crash',
      'pause',
      'resume',
      'smart',
      'fast',
      'immediate',
    ]);
    await assert.rejects(server.sql('select 1/0'), /division by zero \(22012\)/);
    await server.close();
    assert.equal(existsSync(server.dataDir), false);
  });

  test('is gone, paused or not, when the process that started it is killed', async () => {
    const owner = await startOwner(
      { after },
      'postgres.ts',
      `const server = await harness.startPostgres();
       server.pause();
       console.log(JSON.stringify([server.pid, server.dataDir]))`,
    );
    const [pid, dataDir] = owner.said as [number, string];
    const pids = treeOf(pid).map((member) => member.pid);
    assert.ok(pids.length > 3 && existsSync(dataDir));
    owner.kill();
    await waitUntil(
      'PostgreSQL',
      'go',
      goneMsMax,
      () => !listProcesses().some((other) => pids.includes(other.pid)) && !existsSync(dataDir),
    );
  });
});

test('where no PostgreSQL can be had, one sentence says which command helps', () => {
  assert.throws(() => findServer(nowhere), /^Error: No PostgreSQL 15 or newer is here .*"apt-get install postgresql"$/);
});

test('a missing PostgreSQL skips tests, and fails them where CI is set', (t) => {
  const before = process.env['CI'];
  t.after(() => {
    if (before === undefined) delete process.env['CI'];
    else process.env['CI'] = before;
  });
  delete process.env['CI'];
  assert.match(String(needsPostgres(nowhere).skip), /^No PostgreSQL/);
  process.env['CI'] = 'true';
  assert.throws(() => needsPostgres(nowhere), /^Error: No PostgreSQL/);
});
