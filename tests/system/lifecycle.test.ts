import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, suite, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { importLines, passwordHash, readLabKey } from '../harness/accounts.ts';
import { type Answer, get, goodPassword, logOut, post, refresh, signIn, signUp, tokensOf } from '../harness/client.ts';
import { rowsOf, withDatabase } from '../harness/database.ts';
import { decodeSegment } from '../harness/forge.ts';
import { metricsOf } from '../harness/metrics.ts';
import { assertProblem } from '../harness/problems.ts';
import { exchange, requestBytes } from '../harness/raw.ts';
import {
  folderIn,
  freePort,
  runCatalytic,
  type Service,
  type Settings,
  serviceIn,
  serviceOn,
  sharedService,
} from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

const stopMsMax = 10_000;

/**
 * Costs a third of a second: long enough to stop the service while it is being checked, and on a busy machine still within the time of a stop. No import takes such a hash, but one that was
 * stored by an earlier version is still checked.
 */
const slowHash = passwordHash(goodPassword, { memoryKib: 131_072, passes: 5, parallelism: 1 });

const slowAccount = async ({ url, dataDir }: Service): Promise<Record<string, string>> => {
  const email = 'slow@example.com';
  const line = JSON.stringify({ email, password_hash: passwordHash(goodPassword) });
  const imported = await importLines(url, readLabKey(dataDir), line);
  assert.equal(imported.status, 200, imported.text);
  withDatabase(dataDir, (database) => database.prepare('update account set password_hash = ?').run(slowHash));
  return { email, password: goodPassword, tenant: 'lab' };
};

/** Waits until a password is being checked. */
const untilHashing = (service: Service): Promise<void> =>
  waitUntil('the service', 'check the password', stopMsMax, async () => {
    const figure = await metricsOf(service);
    return figure('catalytic_hash_lanes_busy') === 1;
  });

const isRefused = (url: string): Promise<boolean> =>
  get(`${url}/health/live`).then(
    () => false,
    () => true,
  );

/** Waits until the service tells balancers to go elsewhere. */
const untilNotReady = ({ url }: Service): Promise<void> =>
  waitUntil(
    'the service',
    'stop being ready',
    stopMsMax,
    async () => (await get(`${url}/health/ready`)).status === 503,
  );

const refusals: readonly (readonly [Record<string, string>, RegExp])[] = [
  [{ PORT: '70000' }, /PORT from the environment: "70000" is not a whole number from 0 to 65535/],
  [{ HOST: '0.0.0.0' }, /HOST .*TRUSTED_PROXIES/],
  [{ HASH_LANES: '0' }, /HASH_LANES .* from 1 to 64/],
  [{ ISSUER: 'auth.example.com' }, /ISSUER .*http or https URL/],
  [{ SIGNING_ALGORITHM: 'HS256' }, /SIGNING_ALGORITHM .*not one of ES256/],
  [{ CATALYTIC_MASTER_KEY: 'short-canary' }, /CATALYTIC_MASTER_KEY .*32 random bytes/],
];
/** For tests beside a service that goes on. */
const usual = sharedService({ after });

// Most have a service of their own and mostly wait: two at a time.
suite('start and stop', { concurrency: 2 }, () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    test(`${signal} lets a request in flight finish, and ends with code 0`, async (t) => {
      const service = await serviceIn(t, { KEEP_ALIVE_SECONDS: 600 });
      const credentials = await slowAccount(service);
      let isAnswered = false;
      const inFlight = post(`${service.url}/auth/login`, credentials).finally(() => {
        isAnswered = true;
      });
      await untilHashing(service);
      const start = performance.now();
      const ended = service.end(signal);
      if (signal === 'SIGINT') while (!(await isRefused(service.url))) await delay(5);
      else await untilNotReady(service);
      // A second signal changes nothing.
      service.process.kill(signal === 'SIGINT' ? 'SIGTERM' : 'SIGINT');
      assert.ok(!isAnswered, 'the service has begun to stop while the request is still being answered');
      assert.equal((await inFlight).status, 200);
      assert.equal(await ended, 0);
      assert.ok(performance.now() - start < stopMsMax);
    });

  test('SIGTERM: new connections are served for as long as an idle one may be used; balancers are told to go', async (t) => {
    const service = await serviceIn(t, { KEEP_ALIVE_SECONDS: 2 });
    const idle = connect(Number(new URL(service.url).port), '127.0.0.1');
    t.after(() => idle.destroy());
    idle.write(requestBytes('GET', '/health/live').toString().replace('Connection: close\r\n', ''));
    await new Promise((resolve) => idle.once('data', resolve));
    const closed = new Promise((resolve) => idle.once('close', resolve)).then(() => performance.now());
    const ended = service.end('SIGTERM');
    await untilNotReady(service);
    const start = performance.now();
    const { access } = await signUp(service.url, 'late@example.com');
    const { status, headers } = await get(`${service.url}/auth/verify`, access);
    assert.deepEqual([status, headers.get('connection')], [200, 'close']);
    assertProblem(await get(`${service.url}/health/ready`), 'shutting_down');
    let servedMs = 0;
    while (!(await isRefused(service.url))) {
      servedMs = performance.now();
      await delay(20);
    }
    assert.ok(servedMs - start > 1000, `served for ${servedMs - start} ms`);
    assert.ok((await closed) - servedMs < 500, 'until the last idle connection is closed');
    assert.equal(await ended, 0);
  });

  /** Sends a second request on a connection once the service has begun to stop. */
  const requestWhileStopping = async (
    t: TestContext,
    signal: NodeJS.Signals,
    first: (service: Service) => Promise<Buffer>,
    untilUnderWay: (service: Service) => Promise<void>,
  ): Promise<Answer | undefined> => {
    const service = await serviceIn(t, { KEEP_ALIVE_SECONDS: 2 });
    let ended: Promise<number | null> | undefined;
    const [one, two] = await exchange(
      service.url,
      (await first(service)).toString().replace('Connection: close\r\n', ''),
      async () => {
        await untilUnderWay(service);
        ended = service.end(signal);
        if (signal === 'SIGINT') while (!(await isRefused(service.url))) await delay(5);
        else await untilNotReady(service);
      },
      requestBytes('GET', '/health/live'),
    );
    assert.equal(one?.status, 200);
    assert.equal(await ended, 0);
    return two;
  };

  test('SIGINT: a request that follows one in flight is refused as retryable', async (t) => {
    const slowLogin = async (service: Service): Promise<Buffer> => {
      const credentials = JSON.stringify(await slowAccount(service));
      return requestBytes('POST', '/auth/login', ['Content-Type: application/json'], credentials);
    };
    const answer = await requestWhileStopping(t, 'SIGINT', slowLogin, untilHashing);
    assert.ok(answer !== undefined);
    assertProblem(answer, 'shutting_down');
  });

  test('SIGTERM: a request on an idle connection is answered, and ends the connection', async (t) => {
    const quick = async (): Promise<Buffer> => requestBytes('GET', '/health/live');
    const answer = await requestWhileStopping(t, 'SIGTERM', quick, () => delay(100));
    assert.deepEqual([answer?.status, answer?.headers.get('connection')], [200, 'close']);
  });

  test('a client that keeps a connection open, or has sent half a request, does not hold the stop up', async (t) => {
    const service = await serviceIn(t, { KEEP_ALIVE_SECONDS: 600 });
    await get(`${service.url}/health/live`);
    const sockets = [
      '',
      'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /health/live HTTP/1.1\r\nHos',
      'POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{',
    ].map((bytes) => {
      const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
      socket.on('error', () => {});
      if (bytes !== '') socket.write(bytes);
      return socket;
    });
    t.after(() => {
      for (const socket of sockets) socket.destroy();
    });
    await delay(200);
    const start = performance.now();
    assert.equal(await service.end('SIGINT'), 0);
    assert.ok(performance.now() - start < 3000, 'the stop waits for nobody who waits for nothing');
  });

  test('a second server on the same data folder is refused and says why', async () => {
    const service = await usual();
    const { code, stderr } = await runCatalytic(['serve'], { PORT: 0, DATA_DIR: service.dataDir });
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^catalytic: Cannot serve from .+: another server process uses it; stop it, give another DATA_DIR, or set DATABASE_URL .+\n$/,
    );
    assert.equal((await get(`${service.url}/health/ready`)).status, 200, 'the first one goes on');
  });

  test('of two servers started at once on a fresh folder one serves and the other says why not', async (t) => {
    const dataDir = join(folderIn(t), 'data');
    const outcomes = await Promise.allSettled([serviceOn(t, dataDir), serviceOn(t, dataDir)]);
    const started = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    assert.deepEqual([started.length, refused.length], [1, 1]);
    assert.match(String(refused[0]?.reason), /ended with code 2 .*another server process uses it/s);
    await signUp(started[0]?.value.url ?? '', 'first@example.com');
  });

  test('everything in the data folder belongs to its owner alone', async () => {
    const { dataDir, url } = await usual();
    await signUp(url, 'owner@example.com');
    const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
    assert.equal(mode(dataDir), '700');
    const files = readdirSync(dataDir);
    assert.ok(['catalytic.db', 'lab.key', 'master.key', 'served'].every((name) => files.includes(name)));
    for (const name of files) assert.equal(mode(join(dataDir, name)), '600', name);
  });

  test('the tenant and the key of the load lab are made where somebody asks for them, and nowhere else', async (t) => {
    /** Starts once on a folder, and says whether the greeting speaks of the lab. */
    const isGreeted = async (dataDir: string, settings: Settings, flags: readonly string[]): Promise<boolean> => {
      const service = await serviceOn(t, dataDir, { LAB: undefined, ...settings }, flags);
      await service.end();
      return service.output().includes('npm run lab');
    };
    const proxied = {
      HOST: '0.0.0.0',
      TRUSTED_PROXIES: '10.0.0.1',
      ISSUER: 'https://id.example.com',
      OPERATE_PORT: 0,
    };
    const cases: readonly (readonly [Settings, readonly string[], boolean])[] = [
      [{}, [], false],
      [{}, ['--lab'], true],
      // "npm start" gives this flag.
      [{}, ['--trial'], true],
      [{ LAB: 0 }, ['--trial'], false],
      [proxied, ['--trial'], false],
    ];
    for (const [settings, flags, isAsked] of cases) {
      const dataDir = join(folderIn(t), 'data');
      const about = JSON.stringify([settings, flags]);
      assert.equal(await isGreeted(dataDir, settings, flags), isAsked, about);
      assert.equal(existsSync(join(dataDir, 'lab.key')), isAsked, about);
      assert.equal(rowsOf(dataDir, "select name from tenant where name = 'lab'").length, Number(isAsked), about);
      if (flags.length === 0)
        assert.equal(await isGreeted(dataDir, {}, ['--trial']), false, 'a folder that was served is no trial');
    }
  });

  test('tokens, sessions and revocations survive a restart', async (t) => {
    const dataDir = folderIn(t);
    const settings = { PORT: await freePort() };
    const before = await serviceOn(t, dataDir, settings);
    const kept = await signUp(before.url, 'kept@example.com');
    const gone = await signIn(before.url, 'kept@example.com');
    const everywhere = await signUp(before.url, 'everywhere@example.com');
    assert.equal((await logOut(before.url, gone.access)).status, 200);
    assert.equal((await post(`${before.url}/auth/logout-all`, undefined, everywhere.access)).status, 200);
    const jwks = (await get(`${before.url}/.well-known/jwks.json`)).text;
    assert.equal(await before.end(), 0);

    const { url } = await serviceOn(t, dataDir, settings);
    assert.equal((await get(`${url}/.well-known/jwks.json`)).text, jwks);
    assert.equal((await get(`${url}/api/protected`, kept.access)).status, 200);
    tokensOf(await refresh(url, kept.refresh));
    for (const { access, refresh: token } of [gone, everywhere]) {
      assertProblem(await get(`${url}/api/protected`, access), 'token_revoked');
      assertProblem(await refresh(url, token), 'session_ended');
    }
  });

  test('another master key than the one the keys were sealed with stops the start and says what to restore', async (t) => {
    const dataDir = folderIn(t);
    await (await serviceOn(t, dataDir)).end();
    const { code, stderr } = await runCatalytic(['serve'], {
      PORT: 0,
      DATA_DIR: dataDir,
      CATALYTIC_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
    });
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^catalytic: Cannot open the signing keys .+; restore master\.key or CATALYTIC_MASTER_KEY; if the key is lost, .+\n$/,
    );
  });

  test('a master key that others can read stops the start and names the command that mends it', async (t) => {
    const dataDir = folderIn(t);
    const path = join(dataDir, 'master.key');
    writeFileSync(path, `${Buffer.alloc(32, 7).toString('base64')}\n`, { mode: 0o644 });
    const { code, stderr } = await runCatalytic(['serve'], { PORT: 0, DATA_DIR: dataDir });
    assert.equal(code, 2);
    assert.ok(stderr.includes(`run "chmod 600 ${path}"`), stderr);
  });

  test('keys are never rotated under another master key than the one they are sealed with', async (t) => {
    const masterKey = Buffer.alloc(32, 7).toString('base64');
    const service = await serviceIn(t, { CATALYTIC_MASTER_KEY: masterKey });
    const kids = () => rowsOf(service.dataDir, 'select kid from signing_key').length;
    for (const settings of [{}, { CATALYTIC_MASTER_KEY: Buffer.alloc(32, 8).toString('base64') }]) {
      const { code, stderr } = await runCatalytic(['keys', 'rotate'], { DATA_DIR: service.dataDir, ...settings });
      assert.equal(code, 2, stderr);
      assert.match(stderr, /^catalytic: Cannot open the signing keys /);
      assert.equal(kids(), 1);
    }
    assert.equal(
      (await runCatalytic(['keys', 'rotate'], { DATA_DIR: service.dataDir, CATALYTIC_MASTER_KEY: masterKey })).code,
      0,
    );
    assert.equal(kids(), 2);
  });

  test('an option out of its bounds stops the start and names itself', async (t) => {
    const dataDir = join(folderIn(t), 'data');
    for (let start = 0; start < refusals.length; start += 2)
      await Promise.all(
        refusals.slice(start, start + 2).map(async ([settings, message]) => {
          const about = JSON.stringify(settings);
          const { code, stdout, stderr } = await runCatalytic(['serve'], { PORT: 0, DATA_DIR: dataDir, ...settings });
          assert.equal(code, 2, about + stderr);
          assert.equal(stdout, '', about);
          assert.match(stderr, /^catalytic: Cannot use [^\n]+\n$/, about);
          assert.match(stderr, message, about);
          assert.ok(!stderr.includes('canary'), 'a secret is not shown');
        }),
      );
  });

  test('a misspelled option in the configuration file stops the start and names itself', async (t) => {
    const folder = folderIn(t);
    const file = join(folder, 'catalytic.env');
    writeFileSync(file, 'PORT=0\nACCESS_TOKEN_SECOND=60\n');
    const { code, stderr } = await runCatalytic(['serve', '--config', file], { DATA_DIR: folder });
    assert.deepEqual(
      [code, stderr],
      [2, `catalytic: Cannot use ${file}: it has no option named ACCESS_TOKEN_SECOND\n`],
    );
  });

  test('flags win over the environment, and the environment over the file', async (t) => {
    const folder = folderIn(t);
    const file = join(folder, 'catalytic.env');
    // PORT is looked at first: its bad value in the file does not count, because the environment has a good one.
    writeFileSync(file, 'PORT=99999\nACCESS_TOKEN_SECONDS=9\n');
    const { stderr: fromFile } = await runCatalytic(['serve', '--config', file], { DATA_DIR: folder, PORT: 0 });
    assert.ok(fromFile.includes(`ACCESS_TOKEN_SECONDS from the file ${file}: "9"`), fromFile);
    const settings = { DATA_DIR: folder, PORT: 0, ACCESS_TOKEN_SECONDS: 8 };
    const { stderr: fromFlag } = await runCatalytic(
      ['serve', '--config', file, '--access-token-seconds', '7'],
      settings,
    );
    assert.match(fromFlag, /ACCESS_TOKEN_SECONDS from the flag --access-token-seconds: "7"/);
  });

  test('a port in use stops the start with a sentence', async (t) => {
    const { url } = await usual();
    const port = new URL(url).port;
    const { code, stderr } = await runCatalytic(['serve'], { PORT: port, DATA_DIR: folderIn(t), LOG_LEVEL: 'silent' });
    assert.equal(code, 2);
    assert.equal(
      stderr,
      `catalytic: Cannot listen on 127.0.0.1:${port}: another program does; stop it, or choose another port: npm start -- --port ${Number(port) + 1}\n`,
    );
  });

  test('a data folder that cannot be one stops the start with a sentence', async (t) => {
    const path = join(folderIn(t), 'file');
    writeFileSync(path, '');
    for (const dataDir of [path, join(path, 'below')]) {
      const { code, stderr } = await runCatalytic(['serve'], { PORT: 0, DATA_DIR: dataDir });
      assert.equal(code, 2, stderr);
      assert.match(stderr, /^catalytic: Cannot use the data folder [^\n]+\n$/);
    }
  });

  test('a database of a newer version stops the start with a sentence', async (t) => {
    const dataDir = folderIn(t);
    await (await serviceOn(t, dataDir)).end();
    rowsOf(dataDir, "insert into migration values (9999, 'from-the-future.sql', 0)");
    const { code, stderr } = await runCatalytic(['serve'], { PORT: 0, DATA_DIR: dataDir });
    assert.equal(code, 2, stderr);
    assert.match(stderr, /^catalytic: Cannot use the data folder [^\n]+ it has migration 9999[^\n]+\n$/);
  });

  test('a key rotated beside a running server is published within two seconds and signs later; old tokens stay valid', async () => {
    const { url, dataDir } = await usual();
    const before = await signUp(url, 'rotate@example.com');
    const oldKid = decodeSegment(before.access, 0)['kid'];
    const rotated = await runCatalytic(['keys', 'rotate'], { DATA_DIR: dataDir });
    assert.equal(rotated.code, 0, rotated.stderr);
    const newKid = /^Key (\S+) is published now/.exec(rotated.stdout)?.[1];

    const published = async (): Promise<unknown[]> => {
      const { body } = await get(`${url}/.well-known/jwks.json`);
      return (body['keys'] as { kid: string }[]).map(({ kid }) => kid);
    };
    const deadline = performance.now() + 2000;
    while (!(await published()).includes(newKid) && performance.now() < deadline) await delay(50);
    assert.deepEqual(await published(), [oldKid, newKid]);

    assert.equal((await get(`${url}/api/protected`, before.access)).status, 200);
    const next = tokensOf(await refresh(url, before.refresh));
    assert.equal(
      decodeSegment(next.access, 0)['kid'],
      oldKid,
      'the new key does not sign before every verifier can know it',
    );
    const { stdout } = await runCatalytic(['keys', 'list', '--json'], { DATA_DIR: dataDir });
    const listed = JSON.parse(stdout) as Record<string, string>[];
    assert.deepEqual(
      listed.map(({ kid }) => kid),
      [oldKid, newKid],
    );
    assert.ok(Date.parse(listed[1]?.['signs from'] ?? '') > Date.now() + 60_000);

    // The waiting time is skipped in the database; the server follows by itself.
    rowsOf(dataDir, 'update signing_key set activates_at = ? where kid = ?', Date.now(), String(newKid));
    await delay(1500);
    const later = await signIn(url, 'rotate@example.com');
    assert.equal(decodeSegment(later.access, 0)['kid'], newKid);
    for (const { access } of [before, next, later])
      assert.equal((await get(`${url}/api/protected`, access)).status, 200);
  });

  test('an admin key made beside a running server is accepted at once, and only for its tenant', async () => {
    const { url, dataDir } = await usual();
    const line = (email: string) => JSON.stringify({ email, password_hash: passwordHash(goodPassword) });
    const made = await runCatalytic(['admin-keys', 'create', '--tenant', 'acme'], { DATA_DIR: dataDir });
    assert.equal(made.code, 0, made.stderr);
    const key = made.stdout.trim();
    assert.match(key, /^cak_[A-Za-z0-9_-]{43}$/, 'the key alone stands on standard output');
    assert.equal((await importLines(url, key, line('a@acme.example'), '?tenant=acme')).status, 200);
    assertProblem(await importLines(url, key, line('a@acme.example'), '?tenant=lab'), 'admin_scope_insufficient');
  });

  test('what a process has compiled is there for the next one, even when it is killed', async (t) => {
    const compiled = folderIn(t);
    const service = await serviceIn(t, { NODE_COMPILE_CACHE: compiled });
    await service.end('SIGKILL');
    assert.ok(readdirSync(compiled, { recursive: true }).length > 100);
  });
});
