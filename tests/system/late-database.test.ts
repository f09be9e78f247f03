import assert from 'node:assert/strict';
import * as nodeTest from 'node:test';
import { goodPassword, post } from '../harness/client.ts';
import { needsPostgres } from '../harness/postgres.ts';
import { createDatabase, sharedServer } from '../harness/postgres-engine.ts';
import { folderIn, freePort, runCatalytic, type Settings, spawnCatalytic } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

nodeTest.suite('a database server that is not up yet', needsPostgres(), () => {
  const server = sharedServer(nodeTest);

  /** Starts a service and returns when it waits for its database. */
  const waiting = async (t: nodeTest.TestContext, databaseUrl: string) => {
    const settings: Settings = { DATABASE_URL: databaseUrl, WORKERS: 2, PORT: 0, DATA_DIR: folderIn(t) };
    const child = spawnCatalytic(['serve'], settings);
    t.after(() => child.kill('SIGKILL'));
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    await waitUntil('the service', 'wait for the database', 30_000, () => output.includes('waiting for it'));
    return { child, output: () => output };
  };

  nodeTest.test('is waited for, with a word about it', async (t) => {
    const { url } = await createDatabase(await server());
    const name = new URL(url).pathname.slice(1);
    await (await server()).sql(`drop database ${name}`);
    await (await server()).stop();
    const { output } = await waiting(t, url);
    await (await server()).start();
    // As where a script makes it once the server is up.
    await (await server()).sql(`create database ${name} owner catalytic`);
    const urlOf = () => /serves on (\S+)/.exec(output())?.[1];
    await waitUntil('the service', 'serve', 30_000, () => urlOf() !== undefined);
    assert.match(output(), /ECONNREFUSED[^"]*; waiting for it, at most 60 s/);
    assert.match(output(), /PostgreSQL allows 117 connections: 5 stay free for commands/);
    const account = { email: 'ada@example.com', password: goodPassword };
    assert.equal((await post(`${urlOf()}/auth/register`, account)).status, 201);
  });

  nodeTest.test('does not hold up a stop', async (t) => {
    const { child, output } = await waiting(t, `postgres://nobody:secret@127.0.0.1:${await freePort()}/none`);
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const startedMs = performance.now();
    child.kill('SIGTERM');
    assert.equal(await ended, 0, output());
    assert.ok(performance.now() - startedMs < 5000, output());
  });

  nodeTest.test('is another thing than a wrong setting, which ends the start at once', async (t) => {
    const { url } = await createDatabase(await server());
    const wrong: readonly (readonly [string, (from: URL) => void, RegExp])[] = [
      ['a database that does not exist', (from) => Object.assign(from, { pathname: '/none' }), /"none" does not exist/],
      ['a mode that does not exist', (from) => from.searchParams.set('sslmode', 'requre'), /sslmode=requre/],
      ['a server without TLS', (from) => from.searchParams.set('sslmode', 'require'), /does not support SSL/],
    ];
    for (const [name, change, message] of wrong) {
      const changed = new URL(url);
      change(changed);
      const settings = { DATABASE_URL: changed.href, WORKERS: 1, DATA_DIR: folderIn(t) };
      const { code, stderr } = await runCatalytic(['serve'], settings);
      assert.equal(code, 2, `${name}: ${stderr}`);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /SECURITY WARNING|node:/, name);
    }
  });
});
