/**
 * What the embedded size does when its disk, its files or its clock fail: nothing is acknowledged that is not durable, the log says what to
 * do, and what can go on by itself does. `docs/operating/when-things-break.md` names each test.
 * @module
 */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { get, goodPassword, logOut, post, refresh, signIn, signUp, type Tokens, tokensOf } from '../harness/client.ts';
import { diskIn, needsDisk, needsFreeze, whileFrozen } from '../harness/disks.ts';
import { assertProblem } from '../harness/problems.ts';
import { folderIn, runCatalytic, type Settings, serviceOn } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

const ada = 'ada@example.com';
const usual = { LOGIN_CACHE_SECONDS: 600, HASH_LANES: 1, ISSUER: 'https://auth.example.com' };
const pageBytes = 4096;

const logIn = (url: string) => post(`${url}/auth/login`, { email: ada, password: goodPassword });
const verify = (url: string, { access }: Tokens) => get(`${url}/auth/verify`, access);

/** A start that is refused, and why. */
const refusedStart = async (t: TestContext, dataDir: string, why: RegExp, settings: Settings = usual): Promise<void> =>
  assert.rejects(serviceOn(t, dataDir, settings), (error: Error) => {
    assert.match(error.message, /ended with code 2/);
    assert.match(error.message, why);
    assert.doesNotMatch(error.message, /\n\s+at /, 'a refusal has no stack trace');
    return true;
  });

/** Everything that writes is refused; returns what the sign-out was answered. */
const assertRefusesWrites = async (url: string, alive: Tokens, leaving: Tokens): Promise<void> => {
  assertProblem(await logIn(url), 'store_unavailable');
  assertProblem(await refresh(url, alive.refresh), 'store_unavailable');
  assertProblem(await logOut(url, leaving.access), 'revocation_unknown');
  assertProblem(await get(`${url}/health/ready`), 'store_unavailable');
};

/** A folder that a service has used and left in order, and a session of it. */
const usedFolder = async (t: TestContext) => {
  const dataDir = folderIn(t);
  const service = await serviceOn(t, dataDir, usual);
  const tokens = await signUp(service.url, ada);
  await service.end();
  return { dataDir, tokens };
};

suite('damage', { concurrency: 3 }, () => {
  test('full disk: writes are refused, checks go on, and with room again everything does', needsDisk(), async (t) => {
    const disk = diskIn(t, 2048);
    const service = await serviceOn(t, disk.folder, usual);
    const { url } = service;
    const [stays, tried, leaves] = [await signUp(url, ada), await signIn(url, ada), await signIn(url, ada)];
    disk.fill();
    await assertRefusesWrites(url, stays, tried);
    assert.equal((await verify(url, stays)).status, 200);
    assert.match(service.output(), /disk is full: make room/);
    assert.match(
      (await runCatalytic(['doctor', '--no-measure'], { DATA_DIR: disk.folder })).stdout,
      /^failure .* free/m,
    );

    disk.free();
    assert.equal((await get(`${url}/health/ready`)).status, 200);
    assert.equal((await logOut(url, leaves.access)).status, 200);
    disk.fill();
    const late = await logOut(url, tried.access);
    await service.end('SIGKILL');

    disk.remount('ro');
    await refusedStart(t, disk.folder, /read-only/i);
    disk.remount('rw');
    disk.free();
    const again = await serviceOn(t, disk.folder, usual);
    assertProblem(await verify(again.url, leaves), 'token_revoked');
    // Refused for want of room, or acknowledged: then it is durable.
    if (late.status === 200) assertProblem(await verify(again.url, tried), 'token_revoked');
    else assertProblem(late, 'revocation_unknown');
    assert.equal((await verify(again.url, stays)).status, 200);
  });

  test(
    'files that can no longer be written to: writes are refused until they can, without a restart',
    needsFreeze(),
    async (t) => {
      const dataDir = folderIn(t);
      const service = await serviceOn(t, dataDir, usual);
      const { url } = service;
      const [stays, leaves] = [await signUp(url, ada), await signIn(url, ada)];
      const files = ['', '-wal'].map((suffix) => join(dataDir, `catalytic.db${suffix}`));
      await whileFrozen([dataDir, ...files], async () => {
        await assertRefusesWrites(url, stays, leaves);
        assert.equal((await verify(url, stays)).status, 200);
      });
      assert.match(service.output(), /disk refuses|read-only/);
      assert.equal((await get(`${url}/health/ready`)).status, 200);
      assert.equal((await logOut(url, leaves.access)).status, 200);
      assertProblem(await verify(url, leaves), 'token_revoked');
      await service.end();
    },
  );

  test('a damaged, emptied or missing database is refused at the start, which says what to do', async (t) => {
    const { dataDir: sound } = await usedFolder(t);
    const cases: readonly (readonly [string, (path: string) => void, RegExp])[] = [
      ['header', (path) => overwrite(path, 0), /damaged.*catalytic restore/],
      ['middle page', (path) => overwrite(path, 6), /damaged.*catalytic restore/],
      ['emptied', (path) => truncateSync(path, 0), /is empty.*catalytic restore/],
    ];
    await Promise.all(
      cases.map(async ([, damage, why]) => {
        const dataDir = folderIn(t);
        cpSync(sound, dataDir, { recursive: true });
        damage(join(dataDir, 'catalytic.db'));
        await refusedStart(t, dataDir, why);
      }),
    );
  });

  test('a torn end of the write-ahead log costs nothing that was acknowledged', async (t) => {
    const dataDir = folderIn(t);
    const service = await serviceOn(t, dataDir, usual);
    const [stays, leaves] = [await signUp(service.url, ada), await signIn(service.url, ada)];
    assert.equal((await logOut(service.url, leaves.access)).status, 200);
    await service.end('SIGKILL');
    const log = join(dataDir, 'catalytic.db-wal');
    // As a power failure leaves it: the beginning of a frame, and what the disk held there before.
    appendFileSync(log, readFileSync(log).subarray(32, 32 + 3000));
    const again = await serviceOn(t, dataDir, usual);
    assertProblem(await verify(again.url, leaves), 'token_revoked');
    assert.equal((await verify(again.url, stays)).status, 200);
  });

  test('a lost or wrong master key is told, not replaced, and can be replaced on purpose', async (t) => {
    const { dataDir, tokens } = await usedFolder(t);
    rmSync(join(dataDir, 'master.key'));
    await refusedStart(t, dataDir, /master key is missing; restore master\.key.*after-restore --new-master-key/);
    const wrong = { ...usual, CATALYTIC_MASTER_KEY: Buffer.alloc(32, 7).toString('base64') };
    await refusedStart(t, dataDir, /not the one they were sealed with/, wrong);

    const { code, stderr } = await runCatalytic(['after-restore', '--new-master-key'], { DATA_DIR: dataDir });
    assert.equal(code, 0, stderr);
    const again = await serviceOn(t, dataDir, usual);
    assert.equal((await verify(again.url, tokens)).status, 401);
    assert.equal((await verify(again.url, await signIn(again.url, ada))).status, 200);
  });

  test('a clock that is set an hour forward and back: sign-ins work at every moment, and dead tokens stay dead', async (t) => {
    const dataDir = folderIn(t);
    const file = join(dataDir, 'clock');
    const service = await serviceOn(t, dataDir, {
      ...usual,
      NODE_OPTIONS: `--import=${new URL('../harness/shifted-clock.ts', import.meta.url).href}`,
      CLOCK_SHIFT_FILE: file,
    });
    const { url } = service;
    const setClock = async (hours: number): Promise<void> => {
      writeFileSync(`${file}.new`, String(hours * 3_600_000));
      renameSync(`${file}.new`, file);
      await delay(100);
    };
    const [stays, dead] = [await signUp(url, ada), await signIn(url, ada)];
    assert.equal((await logOut(url, dead.access)).status, 200);

    await setClock(1);
    assertProblem(await verify(url, stays), 'token_expired');
    const ahead = tokensOf(await refresh(url, stays.refresh));
    assert.equal((await verify(url, ahead)).status, 200);
    // Housekeeping runs every second: it would forget what seems to have expired.
    await delay(1500);

    await setClock(0);
    assertProblem(await verify(url, dead), 'token_revoked');
    assert.equal((await verify(url, stays)).status, 200, 'its time has not come after all');
    assertProblem(await verify(url, ahead), 'token_not_yet_valid');
    assert.equal((await verify(url, await signIn(url, ada))).status, 200);

    await setClock(-1);
    assert.equal((await verify(url, dead)).status, 401);
    // Before the birth of the signing key.
    assert.equal((await verify(url, await signIn(url, ada))).status, 200);
    assert.equal((await logOut(url, (await signIn(url, ada)).access)).status, 200);
  });

  test('a folder that is moved away or deleted, and a file that is replaced: nothing is acknowledged to files that have no name', async (t) => {
    const place = folderIn(t);
    const dataDir = join(place, 'data');
    const service = await serviceOn(t, dataDir, { ...usual, REVOCATION_LEASE_MS: 500, REVOCATION_ANSWER_MS: 700 });
    const { url } = service;
    const [stays, leaves] = [await signUp(url, ada), await signIn(url, ada)];
    renameSync(dataDir, join(place, 'elsewhere'));
    await assertRefusesWrites(url, stays, leaves);
    assert.match(service.output(), /moved away while the service runs: move it back/);
    const isChecked = async (): Promise<boolean> => (await verify(url, stays)).status === 200;
    await waitUntil('The service', 'stop accepting tokens', 3000, async () => !(await isChecked()));

    renameSync(join(place, 'elsewhere'), dataDir);
    await waitUntil('The service', 'accept tokens again', 3000, isChecked);
    assert.equal((await logOut(url, leaves.access)).status, 200);
    assertProblem(await verify(url, leaves), 'token_revoked');

    const path = join(dataDir, 'catalytic.db');
    copyFileSync(path, `${path}.copy`);
    renameSync(`${path}.copy`, path);
    assertProblem(await logOut(url, stays.access), 'revocation_unknown');
    assert.match(service.output(), /replaced while the service runs: stop the service/);
    rmSync(dataDir, { recursive: true });
    await assertRefusesWrites(url, stays, leaves);
    assert.match(service.output(), /deleted or moved away/);
  });
});

/** Fills a page with what no page holds. @param number counted from 0 */
const overwrite = (path: string, number: number): void => {
  const bytes = readFileSync(path);
  bytes.fill(0xff, number * pageBytes, (number + 1) * pageBytes);
  writeFileSync(path, bytes);
};
