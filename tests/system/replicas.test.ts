import assert from 'node:assert/strict';
import * as nodeTest from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { get, logOut, refresh, signIn, signUp, tokensOf } from '../harness/client.ts';
import { query } from '../harness/postgres/query.ts';
import { needsPostgres } from '../harness/postgres.ts';
import { createDatabase, openEngine, sharedServer, type TestDatabase } from '../harness/postgres-engine.ts';
import { folderIn, freePort, type Service, serviceOn } from '../harness/service.ts';

nodeTest.suite('replicas', needsPostgres(), () => {
  const server = sharedServer(nodeTest);

  const start = (t: nodeTest.TestContext, { url }: TestDatabase, replicas: string): Promise<Service> =>
    serviceOn(t, folderIn(t), { DATABASE_URL: url, DATABASE_REPLICA_URLS: replicas, WORKERS: 2 });

  nodeTest.test('with replicas that are not there everything works', async (t) => {
    const nowhere = `postgres://catalytic:secret@127.0.0.1:${await freePort()}/none`;
    const { url } = await start(t, await createDatabase(await server()), `${nowhere},${nowhere}`);
    const first = await signUp(url, 'ada@example.com');
    for (let round = 0; round < 10; round++) assert.equal((await get(`${url}/auth/me`, first.access)).status, 200);
    const next = tokensOf(await refresh(url, first.refresh));
    assert.equal((await logOut(url, next.access)).status, 200);
    assert.equal((await get(`${url}/auth/verify`, first.access)).status, 401);
    await signIn(url, 'ada@example.com');
  });

  nodeTest.test(
    'only the account that is shown comes from a replica, and what it lacks from the primary',
    async (t) => {
      const primary = await createDatabase(await server());
      const replica = await createDatabase(await server());
      // Gives the second database its tables.
      await (await openEngine(replica)).close();
      const { url } = await start(t, primary, replica.url);
      const ada = await signUp(url, 'ada@example.com');
      const me = async (token: string) => (await get(`${url}/auth/me`, token)).body['email'];
      assert.equal(await me(ada.access), 'ada@example.com');

      const [row] = await query(primary.adminUrl, 'select id, tenant_id, password_hash from account');
      const [id = '', tenant = '', hash = ''] = row ?? [];
      await query(
        replica.adminUrl,
        `insert into tenant values ('${tenant}', 'default', 'active', 0, 1);
       insert into account (id, tenant_id, email, email_key, password_hash, status, epoch, roles, created_at)
       values ('${id}', '${tenant}', 'old@example.com', 'old@example.com', '${hash}', 'active', 0, '{}', 1)`,
      );
      const seen = await Promise.all(Array.from({ length: 10 }, () => me(ada.access)));
      assert.deepEqual(new Set(seen), new Set(['old@example.com']));

      // A login by what the replica says finds nobody; by what the primary says, everything else goes on.
      await assert.rejects(signIn(url, 'old@example.com'));
      const again = await signIn(url, 'ada@example.com');
      assert.equal((await logOut(url, ada.access)).status, 200);
      assert.equal((await get(`${url}/auth/me`, ada.access)).status, 401);
      assert.equal((await get(`${url}/auth/verify`, again.access)).status, 200);
      // Longer than the journal is polled: nothing of it, and no member, was written to the replica.
      await delay(300);
      const written = await query(
        replica.adminUrl,
        'select (select count(*) from journal), (select count(*) from member), (select count(*) from session)',
      );
      assert.deepEqual(written, [['0', '0', '0']]);
    },
  );
});
