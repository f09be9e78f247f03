/**
 * The sidecar as Traefik and Envoy ask it. Neither program is in Debian: clients send what they send.
 */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { disguisedPaths, forged, readLeniently, smuggledRequests } from '../abuse/hostile-heads.ts';
import { type ClientRequest, type Fate, passEnvoy, passTraefik } from '../harness/asking-gateways.ts';
import { logOut, signUp } from '../harness/client.ts';
import { addGuardKey } from '../harness/guard-key.ts';
import { inParallel } from '../harness/in-parallel.ts';
import { saidTo, statusesIn } from '../harness/raw.ts';
import { serviceIn } from '../harness/service.ts';
import { sidecarIn } from '../harness/sidecar.ts';

const issuer = 'https://id.example';
const service = await serviceIn({ after }, { ISSUER: issuer });
const key = addGuardKey(service.dataDir);

const gateways = [
  { name: 'Traefik', pathFrom: 'x-forwarded-uri', pass: passTraefik },
  { name: 'Envoy', pathFrom: 'request', pass: passEnvoy },
] as const;

for (const { name, pathFrom, pass } of gateways)
  suite(name, async () => {
    const flags = ['--path-from', pathFrom, '--require', '/admin role=admin', '--issuer', issuer];
    const sidecar = await sidecarIn({ after }, { url: service.url, key, flags });
    const { access, session } = await signUp(service.url, `${name.toLowerCase()}@example.com`);
    const fate = (request: Partial<ClientRequest>, token: string | undefined = access): Promise<Fate> =>
      pass(`http://${sidecar.address}`, {
        method: 'GET',
        target: '/notes',
        ...request,
        headers: { ...request.headers, ...(token && { authorization: `Bearer ${token}` }) },
      });
    const statusOf = async (request: Partial<ClientRequest>, token?: string): Promise<number> => {
      const told = await fate(request, token);
      return told.kind === 'passed' ? 200 : told.status;
    };

    test('the API learns who asks, whatever the method, and a client can name nobody else', async () => {
      const headers = Object.fromEntries(
        ['subject', 'tenant', 'session', 'roles', 'scope', 'expires'].map((what) => [`catalytic-${what}`, forged]),
      );
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
        const told = await fate({ method, target: '/notes?role=admin&x=%', headers });
        assert.ok(told.kind === 'passed', `${method}: ${JSON.stringify(told)}`);
        assert.equal(told.headers['catalytic-session'], session);
        for (const [field, value] of Object.entries(told.headers))
          assert.notEqual(value, forged, `${method}: ${field}`);
      }
    });

    test('refusals are answered as they are, with their challenge', async () => {
      for (const [status, challenge, told] of [
        [401, /^Bearer realm="catalytic"$/, await fate({}, '')],
        [401, /error="invalid_token"/, await fate({}, `${access}x`)],
        [403, /error="insufficient_scope"/, await fate({ target: '/admin/x' })],
      ] as const) {
        assert.ok(told.kind === 'refused');
        assert.equal(told.status, status);
        assert.match(told.challenge ?? '', challenge);
      }
    });

    test('no spelling of a path slips past the rule of that path', async () => {
      // Of these gateways each passes an absolute target on as a path.
      const paths = disguisedPaths.filter((path) => path.startsWith('/'));
      const statuses = await inParallel(paths, (target) => statusOf({ target }));
      for (const [index, target] of paths.entries())
        if (/^\/admin(\/|$)/.test(readLeniently(target))) assert.equal(statuses[index], 403, target);
      assert.ok(statuses.includes(200), 'some are other paths');
    });

    test('a signed-out token is dead, and without a sidecar nobody passes', async () => {
      assert.equal((await logOut(service.url, access)).status, 200);
      assert.equal(await statusOf({}), 401);
      // It leaves first, so that the sign-outs of other tests do not wait for it.
      await sidecar.end('SIGTERM');
      assert.equal(await statusOf({}), name === 'Envoy' ? 503 : 500);
    });
  });

test('Envoy may ask the service itself, below a prefix', async () => {
  const { access, session } = await signUp(service.url, 'prefix@example.com');
  const url = `${service.url}/auth/gateway`;
  for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
    const headers = { authorization: `Bearer ${access}`, 'catalytic-roles': forged };
    const told = await passEnvoy(url, { method, target: '/notes?x=1', headers });
    assert.ok(told.kind === 'passed', `${method}: ${JSON.stringify(told)}`);
    assert.equal(told.headers['catalytic-session'], session);
    assert.notEqual(told.headers['catalytic-roles'], forged);
  }
  const nobody = await passEnvoy(url, { method: 'POST', target: '/notes', headers: {} });
  assert.ok(nobody.kind === 'refused' && nobody.status === 401);
});

test('asked directly, neither sidecar nor service is talked into a second verdict', async (t) => {
  const { access } = await signUp(service.url, 'direct@example.com');
  const sidecar = await sidecarIn(t, { url: service.url, key, flags: ['--issuer', issuer, '--mode', 'ask'] });
  const hidden = smuggledRequests(access);
  for (const url of [`http://${sidecar.address}`, service.url])
    await inParallel(hidden, async ({ about, bytes }) => {
      // The hidden request has no token: whoever answers it with 200 has taken that of the first.
      const asked = bytes.replace('/first', '/auth/gateway/first').replace('/smuggled', '/auth/gateway/smuggled');
      const statuses = statusesIn(await saidTo(url, Buffer.from(asked, 'latin1')));
      const [, ...further] = statuses.filter((status) => status !== 100);
      assert.ok(!further.includes(200), `${about}: ${further}`);
    });
});
