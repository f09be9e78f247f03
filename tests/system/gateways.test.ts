/**
 * Real gateways that run the recipes of `examples/gateways`, in front of an API that checks nothing: whoever reaches it has been let through.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { fencedBlocksOf } from '../../scripts/markdown.ts';
import { badRequests } from '../abuse/bad-requests.ts';
import {
  disguisedPaths,
  forged,
  forgedOrigins,
  forgeries,
  readLeniently,
  smuggledRequests,
} from '../abuse/hostile-heads.ts';
import { hostileRequests } from '../abuse/random-heads.ts';
import { type Answer, get, logOut, request, signUp } from '../harness/client.ts';
import { type EchoApi, echoApiIn, hashOf, identityOf, type Reached } from '../harness/echo-api.ts';
import { type Gateway, type GatewayName, gatewayNames, needsGateway, startGateway } from '../harness/gateways.ts';
import { addGuardKey } from '../harness/guard-key.ts';
import { inParallel } from '../harness/in-parallel.ts';
import { exchange, requestBytes, saidTo, statusesIn } from '../harness/raw.ts';
import type { Scope } from '../harness/scope.ts';
import { randomFrom, seed } from '../harness/seed.ts';
import { folderIn, serviceIn } from '../harness/service.ts';
import { type Sidecar, sidecarIn } from '../harness/sidecar.ts';
import { waitUntil } from '../harness/wait-until.ts';

const leaseMs = 2000;
const service = await serviceIn({ after }, { ISSUER: 'https://id.example', REVOCATION_LEASE_MS: leaseMs });
const key = addGuardKey(service.dataDir);
const { access, session } = await signUp(service.url, 'ada@example.com');
const { sub, tid, exp } = JSON.parse(Buffer.from(access.split('.')[1] ?? '', 'base64url').toString()) as {
  readonly [claim: string]: unknown;
};
const bearer = `Authorization: Bearer ${access}`;
const asAda = { authorization: `Bearer ${access}` };

/** Where a gateway of this kind tells the guard the path. */
const pathFrom: Readonly<Record<GatewayName, string>> = { nginx: 'x-original-uri', caddy: 'x-forwarded-uri' };
const rules = (source: string): readonly string[] => [
  ...['--issuer', 'https://id.example', '--path-from', source, '--require', '/admin role=admin'],
];

interface Place {
  readonly gateway: Gateway;
  readonly api: EchoApi;
  readonly sidecar: Sidecar;
}

const placeIn = async (t: Scope, name: GatewayName): Promise<Place> => {
  // nginx asks over a socket file, Caddy over TCP.
  const listen = name === 'nginx' ? `unix:${join(folderIn(t), 'guard.sock')}` : '127.0.0.1:0';
  const sidecar = await sidecarIn(t, { url: service.url, key, listen, flags: rules(pathFrom[name]) });
  const api = await echoApiIn(t);
  const gateway = await startGateway(name, { api: api.address, guard: sidecar.address });
  t.after(() => gateway.close());
  return { gateway, api, sidecar };
};

const ada = [
  ...[`catalytic-expires: ${String(exp)}`, `catalytic-session: ${session}`],
  ...[`catalytic-subject: ${String(sub)}`, `catalytic-tenant: ${String(tid)}`],
];

/** Whatever reached the API came with a verdict, and with the identity of the token. */
const assertVerdicts = (reached: readonly Reached[], about: string): void => {
  for (const one of reached) assert.deepEqual(identityOf(one), ada, `${about}: ${one.method} ${one.target}`);
};

/** Statuses of all answers to these bytes. No answer may lead the client elsewhere. */
const statusesOf = async (url: string, ...pieces: readonly (string | Buffer)[]): Promise<readonly number[]> => {
  const text = await saidTo(url, ...pieces);
  assert.doesNotMatch(text, /^location:/im);
  return statusesIn(text);
};

/** Tries every forged identity, with a live token and without. @returns how many requests were served, as those of the token's owner */
const tryForgeries = async (gateway: Gateway, api: EchoApi): Promise<number> => {
  let served = 0;
  for (const { about, headers, body = '' } of forgeries) {
    api.taken();
    const method = body === '' ? 'GET' : 'POST';
    const [status] = await statusesOf(gateway.url, requestBytes(method, '/notes', [bearer, ...headers], body));
    const reached = api.taken();
    assert.equal(reached.length, status === 200 ? 1 : 0, `${about}: ${status}`);
    // Caddy finds a broken body while it sends it on: 502, which the recipe makes 503.
    assert.ok([200, 400, 401, 503].includes(status ?? 0), `${about}: ${status}`);
    assertVerdicts(reached, about);
    for (const { trailers } of reached) assert.equal(trailers.includes(forged), false, about);
    served += reached.length;
    const alone = await statusesOf(gateway.url, requestBytes(method, '/notes', headers, body));
    assert.ok(
      alone.length > 0 && alone.every((each) => each === 401 || each === 400),
      `${about}, without a token: ${alone}`,
    );
  }
  assert.equal(api.taken().length, 0, 'nothing without a token');
  return served;
};

const available = gatewayNames.filter((name) => needsGateway(name).skip === false);
const places = new Map<GatewayName, Place>();
await Promise.all(available.map(async (name) => places.set(name, await placeIn({ after }, name))));
const placeOf = (name: GatewayName): Place => places.get(name) ?? assert.fail(name);

suite('gateways', { concurrency: gatewayNames.length }, () => {
  for (const name of gatewayNames)
    suite(name, { ...needsGateway(name), concurrency: 1 }, () => {
      test('the API learns who asks, refusals keep their challenge, and the answers of the API stay its own', async () => {
        const { gateway, api } = placeOf(name);
        const { status, text } = await request(`${gateway.url}/notes?x=1`, { headers: asAda });
        assert.equal(status, 200, text);
        const [reached = assert.fail('nothing reached the API')] = api.taken();
        assert.equal(status, 200);
        assert.deepEqual([status, reached.target, identityOf(reached)], [200, '/notes?x=1', ada]);
        const nobody = await get(`${gateway.url}/notes`);
        assert.deepEqual([nobody.status, nobody.headers.get('www-authenticate')], [401, 'Bearer realm="catalytic"']);
        // nginx has a location of that name, for itself.
        assert.notEqual((await get(`${gateway.url}/catalytic/check`)).status, 200);
        const lacking = await get(`${gateway.url}/admin/x`, access);
        assert.equal(lacking.status, 403);
        assert.match(lacking.headers.get('www-authenticate') ?? '', /^Bearer .*error="insufficient_scope"/);
        assert.equal(api.taken().length, 0);
        for (const own of [401, 403, 404, 500, 503])
          assert.equal((await get(`${gateway.url}/status/${own}`, access)).text, '{"from":"the API"}', `${own}`);
      });

      test('bodies arrive whole, and the guard is sent none', async () => {
        const { gateway, api } = placeOf(name);
        const body = Buffer.alloc(700_000, 'catalytic ');
        const chunks = `${body.length.toString(16)}\r\n${body.toString()}\r\n0\r\n\r\n`;
        api.taken();
        for (const [headers, sent] of [
          [[], body],
          [['Transfer-Encoding: chunked'], chunks],
          [['Expect: 100-continue'], body],
        ] as const) {
          const answers = await exchange(gateway.url, requestBytes('POST', '/notes', [bearer, ...headers], sent));
          assert.deepEqual(
            answers.map(({ status }) => status),
            [200],
            headers.join(),
          );
          assert.deepEqual(
            api.taken().map(({ bodyHash }) => bodyHash),
            [hashOf(body)],
            headers.join(),
          );
        }
      });

      test('a forged identity never reaches the API', async () => {
        const { gateway, api } = placeOf(name);
        const served = await tryForgeries(gateway, api);
        assert.ok(served > forgeries.length / 3, `only ${served} were served`);
      });

      test('what a client says of its own request changes no verdict', async () => {
        const { gateway, api } = placeOf(name);
        const [status] = await statusesOf(gateway.url, requestBytes('GET', '/admin/x', [bearer, ...forgedOrigins]));
        assert.deepEqual([status, api.taken()], [403, []]);
        for (const query of ['role=admin', 'when-stale=allow', 'x=1&x=2', '%'])
          assert.equal((await get(`${gateway.url}/notes?${query}`, access)).status, 200, query);
        assert.equal(api.taken().length, 4);
        assert.deepEqual(await statusesOf(gateway.url, requestBytes('GET', '/notes', [bearer, bearer])), [400]);
        assert.deepEqual(
          await statusesOf(gateway.url, requestBytes('GET', '/notes', ['Authorization: Bearer x', bearer])),
          [400],
        );
        assert.equal(api.taken().length, 0);
      });

      test('no spelling of a path slips past the rule of that path', async () => {
        const { gateway, api } = placeOf(name);
        let served = 0;
        for (const path of disguisedPaths) {
          await statusesOf(gateway.url, requestBytes('GET', path, [bearer]));
          for (const { target } of api.taken()) {
            served++;
            assert.doesNotMatch(readLeniently(target), /^\/admin(\/|$)/, `${path} reached the API as ${target}`);
          }
        }
        assert.ok(served > 0, 'some are other paths');
      });

      test('no request is hidden in another, and none passes that the gateway alone would refuse', async (t) => {
        const { gateway, api } = placeOf(name);
        const aloneApi = await echoApiIn(t);
        const vary = (recipe: string): string =>
          recipe.replace(/^ *auth_request .*$/m, '').replace(/^\t\tforward_auth [\s\S]*?^\t\t\}/m, '');
        const alone = await startGateway(name, { api: aloneApi.address, guard: '127.0.0.1:9', vary });
        t.after(() => alone.close());
        const hidden = smuggledRequests(access).map(({ bytes }) => Buffer.from(bytes, 'latin1'));
        const send = (url: string, some = hidden) => inParallel(some, (bytes) => statusesOf(url, bytes), some.length);
        api.taken();
        await Promise.all([send(gateway.url), send(alone.url)]);
        const reached = api.taken();
        assertVerdicts(reached, 'smuggled');
        for (const { target } of reached) assert.match(target, /^\/first\//, 'a hidden request reached the API');
        const refusedAlone = (free: readonly Reached[]): readonly string[] =>
          reached.map(({ target }) => target).filter((target) => !free.some((one) => one.target === target));
        const free = aloneApi.taken();
        // On a busy machine some may have been given up early: each has a second try.
        await send(
          alone.url,
          hidden.filter((bytes) => refusedAlone(free).some((target) => bytes.includes(`${target} `))),
        );
        assert.deepEqual(refusedAlone([...free, ...aloneApi.taken()]), [], 'the gateway alone refuses these');
        assert.ok(reached.length > 5, `only ${reached.length} were served`);
      });

      test(`nothing of random requests reaches the API without a verdict (SEED=${seed})`, async () => {
        const { gateway, api } = placeOf(name);
        const next = hostileRequests(randomFrom(seed), access);
        api.taken();
        const requests = Array.from({ length: 160 }, next);
        const send = (bytes: string) => statusesOf(gateway.url, Buffer.from(bytes, 'latin1'));
        await inParallel(requests, send, requests.length);
        const reached = api.taken();
        assertVerdicts(reached, 'random');
        assert.ok(reached.length > 0);
        for (const { target } of reached) assert.doesNotMatch(target, /smuggled|^\/admin/);
      });

      test('the service itself can be asked instead of a sidecar', async (t) => {
        const { api } = placeOf(name);
        const vary = (recipe: string): string => recipe.replace(/(?<=_guard|uri )\/check/, '/auth/gateway');
        const gateway = await startGateway(name, { api: api.address, guard: new URL(service.url).host, vary });
        t.after(() => gateway.close());
        api.taken();
        const body = 'over and out';
        const answer = await exchange(gateway.url, requestBytes('POST', '/notes?x=1', [bearer], body));
        assert.deepEqual(
          answer.map(({ status }) => status),
          [200],
        );
        const reached = api.taken();
        assertVerdicts(reached, 'asked of the service');
        assert.deepEqual(
          reached.map(({ bodyHash }) => bodyHash),
          [hashOf(body)],
        );
        const nobody = await get(`${gateway.url}/notes`);
        assert.deepEqual([nobody.status, nobody.headers.get('www-authenticate')], [401, 'Bearer realm="catalytic"']);
        assert.deepEqual(api.taken(), []);
      });

      test('no malformed request passes without a token', async () => {
        const { gateway, api } = placeOf(name);
        await inParallel(badRequests, ({ pieces }) =>
          statusesOf(gateway.url, ...pieces.filter((piece) => typeof piece !== 'number')),
        );
        assert.deepEqual(api.taken(), []);
      });

      test('WebSockets are upgraded with a token, refused without, and nothing else is upgraded', async () => {
        const { gateway, api } = placeOf(name);
        const upgrade = (to: string, ...headers: readonly string[]): string =>
          ['GET /live HTTP/1.1', 'Host: localhost', 'Connection: Upgrade', `Upgrade: ${to}`, ...headers, '', ''].join(
            '\r\n',
          );
        const talk = async (bytes: string): Promise<string> => {
          const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () => socket.write(bytes));
          let text = '';
          socket.on('error', () => {});
          socket.setTimeout(1000, () => socket.destroy());
          for await (const piece of socket) {
            text += String(piece);
            if (/^HTTP\/1\.1 101 [\s\S]*\r\n\r\n$/.test(text)) socket.write('over and out');
            if (text.includes('out') || !text.startsWith('HTTP/1.1 101')) break;
          }
          return text;
        };
        assert.match(await talk(upgrade('websocket', bearer)), /^HTTP\/1\.1 101 [\s\S]*\r\n\r\nover and out$/);
        assertVerdicts(api.taken(), 'WebSocket');
        assert.match(await talk(upgrade('websocket')), /^HTTP\/1\.1 401 /);
        assert.equal(api.taken().length, 0);
        for (const other of ['h2c', 'WebSockets', 'h2c, websocket', 'TLS/1.0'])
          assert.doesNotMatch(await talk(upgrade(other, bearer)), /^HTTP\/1\.1 101 /, other);
      });

      test('over HTTP/2 neither a forged identity nor a disguised path reaches the API', async (t) => {
        const { api, sidecar, ...place } = placeOf(name);
        let { gateway } = place;
        if (name === 'nginx') {
          // Caddy speaks it on the same port.
          const vary = (recipe: string): string =>
            recipe.replace(/^( *listen [^;]+);/m, '$1 http2;\n    underscores_in_headers on;');
          gateway = await startGateway(name, { api: api.address, guard: sidecar.address, vary });
          t.after(() => gateway.close());
        }
        const session = connectHttp2(gateway.url);
        t.after(() => session.close());
        const statusOf = async (headers: OutgoingHttpHeaders): Promise<number> => {
          const stream = session.request({ ...asAda, ...headers });
          const [answered] = (await once(stream.resume(), 'response')) as [IncomingHttpHeaders];
          stream.close();
          return Number(answered[':status']);
        };
        api.taken();
        const names = ['subject', 'tenant', 'session', 'roles', 'scope', 'expires'];
        for (const mark of ['-', '_'])
          for (const value of [forged, '', [forged, forged]]) {
            const headers = Object.fromEntries(names.map((what) => [`catalytic${mark}${what}`, value]));
            assert.equal(await statusOf({ ':path': '/notes', ...headers }), 200, `${mark} ${value}`);
          }
        assert.equal(await statusOf({ ':path': '/notes', te: 'trailers', trailer: 'catalytic-subject' }), 200);
        for (const path of disguisedPaths) await statusOf({ ':path': path }).catch(() => {});
        const reached = api.taken();
        assert.ok(reached.length > 6);
        assertVerdicts(reached, 'HTTP/2');
        for (const { target } of reached) assert.doesNotMatch(readLeniently(target), /^\/admin(\/|$)/);
        assert.equal(await statusOf({ ':path': '/notes', authorization: 'Bearer x' }), 401);
      });

      test('the URI of a request makes nobody ask anything', async (t) => {
        const { gateway, sidecar } = placeOf(name);
        let asked = 0;
        const canary = createServer((socket) => {
          asked++;
          socket.destroy();
        });
        await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
        t.after(() => void canary.close());
        const { port } = canary.address() as { port: number };
        const elsewhere = `http://127.0.0.1:${port}`;
        const heads = [
          `Host: 127.0.0.1:${port}`,
          ...['Uri', 'Host', 'Server'].map((what) => `X-Forwarded-${what}: ${elsewhere}/`),
          `X-Original-URI: ${elsewhere}/`,
        ];
        const urls = [gateway.url, ...(sidecar.address.startsWith('unix:') ? [] : [`http://${sidecar.address}`])];
        for (const url of urls)
          for (const target of [
            `${elsewhere}/`,
            `//127.0.0.1:${port}/`,
            `/${elsewhere}`,
            `/?url=${elsewhere}`,
            `@127.0.0.1:${port}`,
          ])
            await statusesOf(url, requestBytes('GET', target, [bearer, ...heads]));
        assert.equal(asked, 0);
      });
    });
});

test('the guide quotes the recipes as they are', () => {
  const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const recipes = ['nginx.conf', 'Caddyfile', 'traefik.yml', 'envoy.yaml'].map((name) =>
    read(`examples/gateways/${name}`),
  );
  const quoted = fencedBlocksOf(read('docs/guides/gateways.md')).filter(({ language }) => language !== 'sh');
  assert.ok(quoted.length > 0);
  for (const { text, line } of quoted)
    assert.ok(
      recipes.some((recipe) => recipe.includes(text)),
      `line ${line}`,
    );
});

test('nginx that passes underscores on takes away both spellings', needsGateway('nginx'), async (t) => {
  const { api, sidecar } = placeOf('nginx');
  const vary = (recipe: string): string =>
    recipe.replace('server {\n    listen', 'server {\n    underscores_in_headers on;\n    listen');
  const gateway = await startGateway('nginx', { api: api.address, guard: sidecar.address, vary });
  t.after(() => gateway.close());
  assert.ok((await tryForgeries(gateway, api)) > 0);
});

suite('when parts are away', { skip: available.length === 0 }, () => {
  /** Answers of every gateway to a live token at once. */
  const answers = (): Promise<readonly Answer[]> =>
    Promise.all(available.map((name) => get(`${placeOf(name).gateway.url}/notes`, access)));
  const assertAll = async (expected: number, when: string): Promise<void> => {
    for (const { status, headers, text } of await answers()) {
      assert.equal(status, expected, `${when}: ${text}`);
      if (expected === 503) assert.ok(Number(headers.get('retry-after')) > 0, when);
    }
  };
  const signalAll = (signal: NodeJS.Signals): void => {
    for (const { sidecar } of places.values()) sidecar.process.kill(signal);
  };

  test('a frozen service, a frozen guard and a killed one: the rest of the lease, then 503, and nobody passes', async () => {
    for (const { api } of places.values()) api.taken();
    service.process.kill('SIGSTOP');
    await assertAll(200, 'within the lease');
    signalAll('SIGSTOP');
    // The gateway gives up after 2 seconds; by then the lease is over, too.
    await assertAll(503, 'the guard is frozen');
    signalAll('SIGCONT');
    await assertAll(503, 'the lease is over');
    service.process.kill('SIGCONT');
    const areBack = async (): Promise<boolean> => (await answers()).every(({ status }) => status === 200);
    await waitUntil('The guards', 'be current again', 10_000, areBack);
    assert.equal((await logOut(service.url, access)).status, 200);
    await assertAll(401, 'signed out');
    for (const { api } of places.values()) api.taken();
    await Promise.all([...places.values()].map(({ sidecar }) => sidecar.end()));
    await assertAll(503, 'the guard is killed');
    for (const { api } of places.values()) assert.deepEqual(api.taken(), []);
  });
});
