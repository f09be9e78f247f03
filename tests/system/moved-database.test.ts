/**
 * Databases that are moved or copied whole, with the service stopped: whoever was signed in stays so, and who was signed out stays out. All the
 * ways, and backups that are older than what they replace, are in the bench `backup-drill`.
 * @module
 */
import { copyFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { assertAllDead, assertAllLive, assertNoneAccepted, gatherCrowd, signOutCrowd } from '../harness/crowd.ts';
import { withDatabase } from '../harness/database.ts';
import { dump, makeServerFolder, restoreDump, startFresh, startHome } from '../harness/postgres/moves.ts';
import { needsPrograms } from '../harness/postgres/programs.ts';
import { folderIn, removeFolder, type Settings, serviceOn } from '../harness/service.ts';

const accounts = 5;
const usual: Settings = { ISSUER: 'https://auth.example.com', LOGIN_CACHE_SECONDS: 600, HASH_LANES: 1 };

suite('a database that is moved whole', { concurrency: 2 }, () => {
  test('a dump of PostgreSQL serves in a fresh cluster as if nothing had happened', needsPrograms(), async (t) => {
    const folder = makeServerFolder();
    t.after(() => removeFolder(folder));
    const [from, to] = await Promise.all([startHome(), startFresh()]);
    t.after(() => Promise.all([from.server.close(), to.server.close()]));
    const dataDir = folderIn(t);
    const first = await serviceOn(t, dataDir, { ...usual, DATABASE_URL: from.url });
    const crowd = await gatherCrowd(first, accounts);
    await signOutCrowd(first.url, crowd.first);
    await first.end();
    await dump(from, folder, 'plain');
    await restoreDump(to, folder, 'plain');

    // Transaction ids of the dump are ahead of the fresh cluster's: nothing that is revoked now may hide behind them.
    const second = await serviceOn(t, dataDir, { ...usual, DATABASE_URL: to.url, WORKERS: 2 });
    await assertAllDead(second.url, crowd.first);
    await assertAllLive(second.url, crowd.kept);
    await signOutCrowd(second.url, crowd.second);
    await assertAllDead(second.url, crowd.second);
  });

  test('a cold copy of DATA_DIR serves elsewhere as if nothing had happened', async (t) => {
    const [dataDir, copy] = [folderIn(t), join(folderIn(t), 'copy')];
    const first = await serviceOn(t, dataDir, usual);
    const crowd = await gatherCrowd(first, accounts);
    await signOutCrowd(first.url, crowd.first);
    await first.end();
    cpSync(dataDir, copy, { recursive: true });
    const second = await serviceOn(t, copy, usual);
    await assertAllDead(second.url, crowd.first);
    await assertAllLive(second.url, crowd.kept);
  });

  test('an older copy over the file of a running service brings no dead token back to life', async (t) => {
    const dataDir = folderIn(t);
    const older = join(folderIn(t), 'older.db');
    const service = await serviceOn(t, dataDir, usual);
    const crowd = await gatherCrowd(service, accounts);
    const emptyLog = (): void => withDatabase(dataDir, (database) => database.exec('pragma wal_checkpoint(truncate)'));
    emptyLog();
    copyFileSync(join(dataDir, 'catalytic.db'), older);
    await signOutCrowd(service.url, crowd.first);
    emptyLog();
    copyFileSync(older, join(dataDir, 'catalytic.db'));
    await assertNoneAccepted(service.url, crowd.first);
  });
});
