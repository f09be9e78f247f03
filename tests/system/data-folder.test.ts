/**
 * The data folder as orchestrators give it: the mount point of a volume that belongs to root, a read-only file system, a
 * symbolic link.
 * @module
 */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, suite, type TestContext, test } from 'node:test';
import { get, signUp } from '../harness/client.ts';
import { diskIn } from '../harness/disks.ts';
import { needsPostgres, postgresIn } from '../harness/postgres.ts';
import {
  folderIn,
  removeFolder,
  runCatalytic,
  type Service,
  type Settings,
  serverMain,
  serviceOn,
  startService,
  temporaryFolder,
} from '../harness/service.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
/** A user and a group that nothing belongs to. */
const stranger = 54_321;
const asStranger = ['setpriv', '--reuid', `${stranger}`, '--regid', `${stranger}`, '--clear-groups'];

const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

const isOpen = (path: string): boolean =>
  path === '/' || ((statSync(path).mode & 0o001) !== 0 && isOpen(dirname(path)));
/** Whether another user can run the service from where it is, and from which folder. */
const needsStranger = {
  skip:
    !(isRoot && isOpen(dirname(serverMain))) && 'Only root can run the service as another user, from an open folder',
};

/** A folder in which another user may look up names. */
const openFolderIn = (t: TestContext): string => {
  const folder = folderIn(t);
  chmodSync(folder, 0o755);
  return folder;
};

/** Another user may not read what this one has compiled, and would compile everything at each start. */
const compiled = temporaryFolder();
after(() => removeFolder(compiled));
if (isRoot) chownSync(compiled, stranger, stranger);

const startAsStranger = (dataDir: string, settings: Settings = {}): Promise<Service> =>
  startService(dataDir, { NODE_COMPILE_CACHE: compiled, ...settings }, asStranger);

const serveAsStranger = async (t: TestContext, dataDir: string, settings: Settings = {}): Promise<void> => {
  const service = await startAsStranger(dataDir, settings);
  t.after(async () => void (await service.end('SIGKILL')));
  assert.equal((await get(`${service.url}/health/ready`)).status, 200);
  assert.equal(await service.end(), 0);
};

suite('the data folder', { concurrency: 2 }, () => {
  test('a folder that was there before keeps its mode, and what is made in it is closed to others', async (t) => {
    const dataDir = folderIn(t);
    chmodSync(dataDir, 0o755);
    await (await serviceOn(t, dataDir)).end();
    assert.equal(modeOf(dataDir), '755');
    assert.equal(modeOf(join(dataDir, 'master.key')), '600');
  });

  test('a new volume with nothing but the entries of its file system is new', async (t) => {
    const dataDir = folderIn(t);
    mkdirSync(join(dataDir, 'lost+found'), { mode: 0o700 });
    const service = await serviceOn(t, dataDir, { LAB: undefined }, ['--trial']);
    assert.match(service.output(), /npm run lab/);
  });

  test('a symbolic link to a folder serves; one that leads nowhere stops the start with a sentence', async (t) => {
    const folder = folderIn(t);
    mkdirSync(join(folder, 'real'));
    symlinkSync('real', join(folder, 'link'));
    await (await serviceOn(t, join(folder, 'link'))).end();
    assert.equal(modeOf(join(folder, 'real', 'master.key')), '600');
    symlinkSync('nowhere', join(folder, 'broken'));
    const { code, stderr } = await runCatalytic(['serve'], { PORT: 0, DATA_DIR: join(folder, 'broken') });
    assert.equal(code, 2);
    assert.match(stderr, /^catalytic: Cannot use the data folder [^\n]+\n$/);
  });

  test('a master key that a volume has opened to its group is closed again', async (t) => {
    const dataDir = folderIn(t);
    const path = join(dataDir, 'master.key');
    writeFileSync(path, `${Buffer.alloc(32, 7).toString('base64')}\n`, { mode: 0o600 });
    chmodSync(path, 0o660);
    await (await serviceOn(t, dataDir)).end();
    assert.equal(modeOf(path), '600');
  });

  suite('of another user', needsStranger, () => {
    test('a mount point that the group of the service may write to serves', async (t) => {
      const dataDir = join(openFolderIn(t), 'volume');
      mkdirSync(dataDir);
      chownSync(dataDir, 0, stranger);
      chmodSync(dataDir, 0o2775);
      await serveAsStranger(t, dataDir);
      assert.equal(modeOf(dataDir), '2775');
      // As the next mount leaves it.
      chmodSync(join(dataDir, 'master.key'), 0o660);
      await serveAsStranger(t, dataDir);
      assert.equal(modeOf(join(dataDir, 'master.key')), '600');
    });

    test('a mount point that every user may write to serves', async (t) => {
      const dataDir = join(openFolderIn(t), 'volume');
      mkdirSync(dataDir);
      chmodSync(dataDir, 0o777);
      await serveAsStranger(t, dataDir);
    });

    test('one that only root may write to stops the start, and says to whom to give it', async (t) => {
      const dataDir = openFolderIn(t);
      await assert.rejects(
        startAsStranger(dataDir),
        /code 2 .*Cannot use the data folder .+ permission denied, .+; give it to the user of the service \("chown"/s,
      );
    });

    test(
      'with the database in PostgreSQL and the master key in the environment no folder is needed',
      needsPostgres(),
      async (t) => {
        const { url: databaseUrl } = await postgresIn(t);
        const folder = openFolderIn(t);
        const settings = {
          ...{ DATABASE_URL: databaseUrl, WORKERS: 1, DATABASE_POOL_SIZE: 4, DATABASE_MAX_OVERFLOW: 4, LAB: undefined },
          CATALYTIC_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
        };
        await serveAsStranger(t, join(folder, 'data'), settings);
        assert.ok(!existsSync(join(folder, 'data')));
        const asked = { ...settings, DATA_DIR: join(folder, 'data') };
        const tenants = await runCatalytic(['tenants', 'list'], asked);
        assert.equal(tenants.code, 0, tenants.stderr);
        await assert.rejects(
          startAsStranger(join(folder, 'data'), { ...settings, CATALYTIC_MASTER_KEY: undefined }),
          /code 2 .*the master key is missing/s,
        );
      },
    );
  });

  test('a read-only file system stops the start with a sentence', {
    skip: !isRoot && 'Only root mounts',
  }, async (t) => {
    const { folder, remount } = diskIn(t, 16_384);
    remount('ro');
    for (const dataDir of [folder, join(folder, 'below')]) {
      const { code, stderr } = await runCatalytic(['serve'], { PORT: 0, DATA_DIR: dataDir });
      assert.equal(code, 2);
      assert.match(
        stderr,
        /^catalytic: Cannot use the data folder .+; mount a volume there that can be written to[^\n]+\n$/,
      );
    }
    remount('rw');
  });

  test('a backup on another file system is restored', { skip: !isRoot && 'Only root mounts' }, async (t) => {
    const dataDir = folderIn(t);
    const service = await serviceOn(t, dataDir);
    await signUp(service.url, 'kept@example.com');
    const { folder } = diskIn(t, 65_536);
    const backup = join(folder, 'backup');
    assert.equal((await runCatalytic(['backup', '--with-key', '--to', backup], { DATA_DIR: dataDir })).code, 0);
    await service.end();
    const key = readFileSync(join(dataDir, 'master.key'), 'utf8');
    const other = join(folder, 'data');
    const { code, stderr } = await runCatalytic(['restore', backup], { DATA_DIR: other });
    assert.equal(code, 0, stderr);
    assert.equal(readFileSync(join(other, 'master.key'), 'utf8'), key);
    rmSync(backup, { recursive: true });
  });
});
