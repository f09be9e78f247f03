/**
 * The sidecar of the guard in a process of its own, asked as gateways ask.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testIssuer } from '@catalytic/guard/testing';
import { identityHeaderNames } from '@catalytic/protocol/identity-headers';
import { get } from '../harness/client.ts';
import { exchange, rawRequest, requestBytes } from '../harness/raw.ts';
import { folderIn } from '../harness/service.ts';
import { sidecarIn } from '../harness/sidecar.ts';
import { waitUntil } from '../harness/wait-until.ts';

const main = fileURLToPath(new URL('../../packages/guard/src/sidecar/main.ts', import.meta.url));
const issuer = await testIssuer({ leaseMs: 1000 });
after(() => issuer.close());
const service = { url: issuer.issuer, key: issuer.key };
const flags = [
  ...['--path-from', 'x-original-uri', '--require', '/admin role=admin', '--resource', 'https://api.example.com/v1'],
  ...['--require', '/sign fresh=5m'],
];
const sidecar = await sidecarIn({ after }, { ...service, flags });
const url = `http://${sidecar.address}`;
const token = issuer.token({ roles: ['editor', 'é,\r\n'], scopes: ['notes:read', 'notes:write'] });
const bearer = `Authorization: Bearer ${token}`;
const root = 'X-Original-URI: /';

test('any method and path is answered over HTTP/1.1 and 1.0, with the identity and no body', async () => {
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS', 'PROPFIND', 'CONNECT'])
    for (const path of ['/', '/-/live', '/check//..;?', '*']) {
      const target = method === 'CONNECT' ? 'host:443' : path;
      const answer = await rawRequest(url, method, target, [
        bearer,
        root,
        'Expect: 100-continue',
        'Upgrade: websocket',
      ]);
      assert.deepEqual([answer.status, answer.text], [200, ''], `${method} ${path}`);
      const values = Object.values(identityHeaderNames).map((name) => answer.headers.get(name));
      assert.ok(!values.includes(null), `${method} ${path}`);
      assert.equal(values[3], 'editor,%C3%A9%2C%0D%0A');
      assert.equal(values[4], 'notes%3Aread,notes%3Awrite');
    }
  const kept = `GET / HTTP/1.0\r\nConnection: keep-alive\r\n${bearer}\r\n${root}\r\n\r\n`;
  const answers = await exchange(url, kept, kept, `GET / HTTP/1.0\r\n${root}\r\n\r\n`);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 401],
  );
});

test('HEAD is refused as GET is, without the body; a challenge names the metadata, which need no token', async () => {
  const refused = await rawRequest(url, 'GET', '/', [root]);
  const { status, text, headers } = await rawRequest(url, 'HEAD', '/', [root]);
  assert.deepEqual([status, text, headers.get('content-length')], [401, '', refused.headers.get('content-length')]);
  const metadata = 'https://api.example.com/.well-known/oauth-protected-resource/v1';
  assert.equal(headers.get('www-authenticate'), `Bearer realm="catalytic", resource_metadata="${metadata}"`);
  const served = await get(`${url}/.well-known/oauth-protected-resource/v1`);
  assert.deepEqual(served.body, {
    resource: 'https://api.example.com/v1',
    authorization_servers: [issuer.issuer],
    bearer_methods_supported: ['header'],
  });
  assert.equal(served.headers.get(identityHeaderNames.subject), '');
  assert.equal((await get(`${url}/.well-known/oauth-protected-resource`)).status, 400, 'of another API');
});

test('requirements of the query and of paths are all needed; what is not understood lets nobody in', async () => {
  const ask = (query: string, ...heads: readonly string[]) =>
    rawRequest(url, 'GET', `/check${query}`, [bearer, ...heads]);
  const codeOf = async (query: string, ...heads: readonly string[]): Promise<unknown> =>
    (await ask(query, ...heads)).body['code'];
  assert.equal((await ask('?role=editor&scope=notes:write&scope=notes:read&fresh=5m', root)).status, 200);
  const tenant = '01a2119f-24ed-72ac-911e-1ef07c744860';
  const secret = 's'.repeat(64);
  for (const [query, code] of [
    ['?role=editor&role=admin', 'role_missing'],
    ['?scope=notes:write%20other', 'scope_missing'],
    [`?tenant=${tenant}`, 'tenant_wrong'],
    ['?r%C3%B4le=editor', 'requirement_unknown'],
    ['?role', 'requirement_unknown'],
    ['?tenant=acme', 'requirement_unknown'],
    ['?fresh=5m&fresh=1h', 'requirement_unknown'],
    ['?when-stale=allow', 'requirement_unknown'],
    ['?role=%zz', 'requirement_unknown'],
    ['?scope=a%0d%0ab', 'requirement_unknown'],
    [`?${secret}`, 'requirement_unknown'],
    [`?tenant=${secret}`, 'requirement_unknown'],
    [`?fresh=${secret}`, 'requirement_unknown'],
  ] as const) {
    const { body, text } = await ask(query, root);
    assert.equal(body['code'], code, query);
    assert.ok(!text.includes(secret), query);
  }
  assert.equal(await codeOf('', 'X-Original-URI: /Admin/users?x'), 'role_missing');
  assert.equal(await codeOf('?role=editor', 'X-Original-URI: /admin'), 'role_missing');
  assert.equal(await codeOf('', 'X-Original-URI: /notes/%2e%2e/admin'), 'path_ambiguous');
  for (const heads of [[], [root, 'X-Original-URI: /admin'], ['X-Forwarded-Uri: /']])
    assert.equal(await codeOf('', ...heads), 'path_missing', heads.join());
  // Node leaves out all fields after the two-thousandth unless it is told not to.
  const many = Array.from({ length: 2500 }, (_, index) => `a${index}: b`);
  assert.equal(await codeOf('', ...many, 'X-Original-URI: /admin'), 'role_missing');
  assert.match(sidecar.output(), /A gateway asks wrongly: /);
});

test('a head that could be read in two ways, or is too long, is refused', async () => {
  const other = `Authorization: Bearer ${issuer.token()}`;
  for (const heads of [
    [bearer, bearer],
    [bearer, other],
    ['authorization: x', bearer],
  ])
    assert.equal((await rawRequest(url, 'GET', '/', [root, ...heads])).body['code'], 'header_duplicated');
  assert.equal((await rawRequest(url, 'GET', '/', [root, bearer, `Cookie: ${'x'.repeat(70_000)}`])).status, 431);
  const [odd] = await exchange(url, `GET / HTTP/2.0\r\n${bearer}\r\n${root}\r\n\r\n`);
  assert.equal(odd?.status, 400);
});

test('a CONNECT that is reset does not end the process', async () => {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(`CONNECT host:443 HTTP/1.1\r\n${root}\r\n\r\n`, () => socket.resetAndDestroy());
  await once(socket, 'close');
  assert.equal((await rawRequest(url, 'GET', '/', [root])).status, 401);
});

test('a body is neither read nor waited for, and what follows it on the connection is not answered', async () => {
  const post = (length: number): string =>
    `POST / HTTP/1.1\r\nHost: x\r\n${bearer}\r\n${root}\r\nContent-Length: ${length}\r\n\r\n`;
  const beganMs = performance.now();
  const unsent = await exchange(url, post(50_000), 50, requestBytes('GET', '/', [bearer, root]));
  assert.deepEqual([unsent.length, unsent[0]?.status, unsent[0]?.headers.get('connection')], [1, 200, 'close']);
  assert.ok(performance.now() - beganMs < 5000);
  const sent = await exchange(url, post(500_000), Buffer.alloc(500_000));
  assert.deepEqual(
    sent.map(({ status }) => status),
    [200],
  );
});

test('a revoked token is refused, and none passes once the lease is over: then it is not ready, and 503', async () => {
  const leaving = issuer.token();
  const statusOf = async (): Promise<number> =>
    (await rawRequest(url, 'GET', '/', [root, `Authorization: Bearer ${leaving}`])).status;
  assert.equal(await statusOf(), 200);
  await issuer.revoke(leaving);
  assert.equal(await statusOf(), 401);
  const operate = `http://${/metrics are on ([^" ]+)/.exec(sidecar.output())?.[1]}`;
  issuer.freeze();
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const away = await rawRequest(url, 'GET', '/', [root, bearer]);
  assert.deepEqual(
    [away.status, away.body['code'], away.headers.get('retry-after')],
    [503, 'verdict_unavailable', '1'],
  );
  assert.deepEqual([(await get(`${operate}/-/ready`)).status, (await get(`${operate}/-/live`)).status], [503, 200]);
  issuer.thaw();
  assert.match((await get(`${operate}/-/metrics`)).text, /catalytic_sidecar_answers_total\{status="503"\} 1\n/);
  assert.equal((await get(`${operate}/check`)).status, 404);
  assert.ok(!sidecar.output().includes(token) && !sidecar.output().includes(issuer.key), 'no secret is in the log');
});

/** Longest time for a command that should end by itself, milliseconds. */
const runMsMax = 10_000;

/** Runs the command until it ends. */
const run = (listen: string, env: Readonly<Record<string, string>> = {}) =>
  spawnSync(process.execPath, [main, '--listen', listen, '--mode', 'ask', '--issuer', issuer.issuer], {
    encoding: 'utf8',
    timeout: runMsMax,
    env: { PATH: process.env['PATH'], ...env },
  });

test('a socket file has the rights it should, replaces one that nobody answers at, and nothing else; SIGTERM leaves', async (t) => {
  const path = join(folderIn(t), 'guard.sock');
  const listen = `unix:${path}`;
  const first = await sidecarIn(t, { ...service, listen });
  assert.equal((statSync(path).mode & 0o777).toString(8), '660');
  assert.match(run(listen).stderr, /another process answers there/);
  await first.end('SIGKILL');
  const second = await sidecarIn(t, { ...service, listen, flags: ['--socket-mode', '600'] });
  assert.equal((statSync(path).mode & 0o777).toString(8), '600');
  const status = await new Promise((resolve) => {
    const asked = httpRequest({ socketPath: path, headers: { authorization: `Bearer ${token}` } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.end();
  });
  assert.equal(status, 200);
  // A connection that has sent half a head holds the stop up for a moment only.
  const half = connect(path, () => half.write('GET / HTTP/1.1\r\n'));
  half.on('error', () => {});
  await once(half, 'connect');
  // One that is kept is not cut: a request may be on its way.
  const kept = connect(path);
  kept.on('error', () => {});
  const ask = (): Promise<string> =>
    new Promise((resolve) => {
      kept.once('data', (answer) => resolve(String(answer)));
      if (kept.destroyed) resolve('closed');
      kept.once('close', () => resolve('closed'));
      kept.write(`GET / HTTP/1.1\r\nHost: x\r\n${bearer}\r\n\r\n`);
    });
  assert.match(await ask(), /^HTTP\/1\.1 200 [\s\S]*keep-alive/);
  const ended = once(second.process, 'exit');
  second.process.kill('SIGTERM');
  await waitUntil('The sidecar', 'begin to stop', 5000, async () => second.output().includes('Stopping'));
  assert.match(await ask(), /^HTTP\/1\.1 200 [\s\S]*connection: close/);
  assert.deepEqual(await ended, [0, null]);
  assert.match(second.output(), /"msg":"Stopped"/);
  assert.throws(() => statSync(path));
  const beganMs = performance.now();
  await issuer.revoke(issuer.token());
  assert.ok(performance.now() - beganMs < 500, 'no revocation waits for a guard that has left');
  writeFileSync(path, 'a file of somebody');
  const { status: code, stderr } = run(listen);
  assert.deepEqual([code, /is not a socket/.test(stderr)], [1, true], stderr);
});
