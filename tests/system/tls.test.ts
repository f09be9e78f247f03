import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get } from 'node:https';
import { connect } from 'node:net';
import { suite, type TestContext, test } from 'node:test';
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls';
import { type MadeCertificate, makeCertificate, placeCertificate } from '../harness/certificates.ts';
import { operateUrlOf } from '../harness/operate-url.ts';
import { needsPostgres, postgresIn } from '../harness/postgres.ts';
import { folderIn, runCatalytic, type Service, serviceIn } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

const root = makeCertificate({ names: ['Test Root'], isAuthority: true });
const middle = makeCertificate({ names: ['Test Intermediate'], isAuthority: true, issuer: root });
const ca = root.cert;

const issue = (recipe: Parameters<typeof makeCertificate>[0] = {}): MadeCertificate => {
  const leaf = makeCertificate({ issuer: middle, ...recipe });
  return { ...leaf, cert: leaf.cert + middle.cert };
};

interface Seen {
  readonly status: number | undefined;
  readonly body: string;
  readonly serial: string;
}

const ask = (url: string, agent?: Agent): Promise<Seen> =>
  new Promise((resolve, reject) => {
    const request = get(url, { ca, agent: agent ?? false }, (response) => {
      const serial = (response.socket as TLSSocket).getPeerCertificate().serialNumber;
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.once('end', () => resolve({ status: response.statusCode, body, serial }));
    });
    request.once('error', reject);
  });

/** Shakes hands and hangs up. */
const shake = (url: string, options: ConnectionOptions): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = tlsConnect({ host: hostname, port: Number(port), ca, ...options });
    socket.once('secureConnect', () => resolve(socket.destroy()));
    socket.once('error', reject);
  });

const serve = async (t: TestContext, settings: Record<string, string | number> = {}) => {
  const folder = folderIn(t);
  const service = await serviceIn(t, { ...placeCertificate(folder, issue()), ...settings });
  return { folder, service, url: service.url };
};

const hasSaid = (service: Service, what: RegExp): Promise<void> =>
  waitUntil('the service', `say ${what}`, 5000, () => what.test(service.output()));

suite('TLS', { concurrency: 3, timeout: 120_000 }, () => {
  test('the public listener speaks TLS 1.2 and 1.3 with forward secrecy, and nothing else', async (t) => {
    const { url, service } = await serve(t);
    assert.match(url, /^https:/);
    assert.equal((await ask(`${url}/health/live`)).status, 200);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = await shake(url, { minVersion: version, maxVersion: version, ALPNProtocols: ['h2', 'http/1.1'] });
      assert.deepEqual([socket.alpnProtocol, socket.authorized], ['http/1.1', true]);
    }
    const weak = { ciphers: 'ALL:@SECLEVEL=0' };
    await assert.rejects(shake(url, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ...weak }));
    await assert.rejects(shake(url, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0' }));
    await assert.rejects(shake(url, { ALPNProtocols: ['h2'] }), /no application protocol/i);
    await assert.rejects(fetch(`${url.replace('https', 'http')}/health/live`));
    const { body } = await ask(`${url}/.well-known/oauth-authorization-server`);
    assert.match(body, /"issuer":"https:\/\//, 'the issuer is what clients can reach');
    const cuts = /connections_cut_total\{reason="handshake",worker="1"\} (\d+)/.exec(
      (await ask(`${url}/metrics`)).body,
    );
    assert.ok(Number(cuts?.[1]) >= 4, `${cuts?.[0]}`);
    assert.match(service.output(), /"expires":"\d{4}-/);
  });

  test('a renewed certificate serves new connections, and those that are open go on', async (t) => {
    const { url, service, folder } = await serve(t);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    const before = await ask(`${url}/health/live`, agent);

    placeCertificate(folder, { ...issue(), key: makeCertificate().key });
    service.process.kill('SIGHUP');
    await hasSaid(service, /it is not the key of the certificate in .*; the certificate in use stays, until \d{4}-/);
    assert.equal((await ask(`${url}/health/live`)).serial, before.serial, 'what does not fit is not used');

    placeCertificate(folder, issue());
    service.process.kill('SIGHUP');
    await hasSaid(service, /"expires":"[^"]+","msg":"Using a new certificate/);
    assert.notEqual((await ask(`${url}/health/live`)).serial, before.serial);
    assert.deepEqual(await ask(`${url}/health/live`, agent), before, 'on the connection from before');
  });

  test('a start without a fitting key ends with a sentence; one with an expired certificate warns', async (t) => {
    const folder = folderIn(t);
    const wrong = placeCertificate(folder, { ...issue(), key: makeCertificate().key });
    const { code, stderr } = await runCatalytic(['serve'], {
      ...wrong,
      PORT: 0,
      DATA_DIR: folderIn(t),
      LOG_LEVEL: 'silent',
    });
    assert.equal(code, 2);
    assert.match(stderr, /^catalytic: Cannot use TLS_KEY_FILE \S+: it is not the key of the certificate in \S+\n$/);

    const service = await serviceIn(t, placeCertificate(folder, issue({ fromDays: -9, untilDays: -1 })));
    assert.match(
      service.output(),
      /"level":"warn".* has expired on \d{4}-\d\d-\d\d: clients will not connect; renew it/,
    );
  });

  test('with TLS a service serves beyond its machine without a proxy; operators are served in plain HTTP', async (t) => {
    const { url, service } = await serve(t, { HOST: '0.0.0.0', ISSUER: 'https://id.example', OPERATE_PORT: 0 });
    assert.equal((await ask(`${url.replace('0.0.0.0', '127.0.0.1')}/health/live`)).status, 200);
    const operateUrl = operateUrlOf(service);
    assert.match(operateUrl, /^http:\/\/127\.0\.0\.1:/);
    assert.equal((await fetch(`${operateUrl}/metrics`)).status, 200);
  });

  test('who begins a handshake and falls silent is cut, and does not hold up a stop', async (t) => {
    const { url, service } = await serve(t, { REQUEST_TIMEOUT_MS: 700, OPERATE_PORT: 0 });
    const begin = async () => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      t.after(() => socket.destroy());
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.write(Buffer.from('16030100a5010000a10303', 'hex'));
      return socket;
    };
    const cut = await begin();
    await once(cut.resume(), 'close');
    await begin();
    const beganMs = performance.now();
    assert.equal(await service.end('SIGINT'), 0);
    assert.ok(performance.now() - beganMs < 4000);
  });

  test(
    'a session resumes at every worker, and a reload of all of them serves the new certificate',
    needsPostgres(),
    async (t) => {
      const { url: databaseUrl } = await postgresIn(t);
      const { url, service, folder } = await serve(t, {
        DATABASE_URL: databaseUrl,
        WORKERS: 2,
        DATABASE_POOL_SIZE: 4,
        DATABASE_MAX_OVERFLOW: 4,
      });
      const { hostname, port } = new URL(url);
      const resumes = async (session?: Buffer): Promise<{ isReused: boolean; session: Buffer | undefined }> => {
        const socket = tlsConnect({ host: hostname, port: Number(port), ca, ...(session && { session }) });
        let next: Buffer | undefined;
        socket.on('session', (ticket) => {
          next = ticket;
        });
        socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
        // Tickets come before the answer.
        await once(socket, 'data');
        const isReused = socket.isSessionReused();
        socket.destroy();
        return { isReused, session: next };
      };
      const first = await resumes();
      assert.ok(first.session !== undefined);
      assert.equal(first.isReused, false);
      // Connections go to the workers in turn.
      for (let count = 0; count < 4; count++)
        assert.ok((await resumes(first.session)).isReused, `at worker ${count % 2}`);

      const { serial } = await ask(`${url}/health/live`);
      placeCertificate(folder, issue());
      service.process.kill('SIGHUP');
      await waitUntil(
        'both workers',
        'be replaced',
        30_000,
        () => service.output().split('Reloaded a worker').length === 3,
      );
      for (let count = 0; count < 3; count++) assert.notEqual((await ask(`${url}/health/live`)).serial, serial);
    },
  );
});
