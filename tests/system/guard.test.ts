/**
 * The guard, as an API has it: in front of real handlers, asking a real service.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createGuard, type GuardOptions } from '@catalytic/guard';
import { testIssuer } from '@catalytic/guard/testing';
import { logOut, signUp } from '../harness/client.ts';
import { httpServerIn } from '../harness/http-server.ts';
import { serviceIn } from '../harness/service.ts';

const json = { 'content-type': 'application/json' };

/** An API of two routes, guarded. */
const apiIn = async (t: TestContext, options: Omit<GuardOptions, 'mode'>) => {
  const problems: string[] = [];
  const guard = await createGuard({ onProblem: (message) => problems.push(message), ...options, mode: 'ask' });
  const handle = guard.node((request, response) => {
    response.end(JSON.stringify({ account: request.auth.subject, roles: request.auth.roles }));
  });
  const edit = guard.node((_request, response) => response.end('edited'), { role: 'editor', freshSignIn: '5m' });
  const { url } = await httpServerIn(
    t,
    (request, response) => void (request.url === '/edit' ? edit : handle)(request, response),
  );
  const ask = async (token?: string, path = '/'): Promise<Response> =>
    fetch(`${url}${path}`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  return { guard, problems, ask, url };
};

const codeOf = async (response: Response): Promise<string> => ((await response.json()) as { code: string }).code;

test('an API behind a guard serves a live token and refuses it once its owner has signed out; without the service it answers 503', async (t) => {
  const service = await serviceIn(t);
  const { guard, problems, ask } = await apiIn(t, { issuer: service.url });
  const { access: token } = await signUp(service.url, 'grace@example.com');
  const served = await ask(token);
  assert.equal(served.status, 200);
  assert.deepEqual(((await served.json()) as { roles: unknown }).roles, []);
  const lacking = await ask(token, '/edit');
  assert.deepEqual([lacking.status, await codeOf(lacking)], [403, 'role_missing']);
  const missing = await ask();
  assert.deepEqual([missing.status, missing.headers.get('www-authenticate')], [401, 'Bearer realm="catalytic"']);
  assert.equal((await logOut(service.url, token)).status, 200);
  const refused = await ask(token);
  assert.deepEqual([refused.status, await codeOf(refused)], [401, 'token_revoked']);
  assert.match(refused.headers.get('www-authenticate') ?? '', /error="invalid_token"/);
  await service.end();
  const away = await ask(token);
  assert.deepEqual(
    [away.status, await codeOf(away), away.headers.get('retry-after')],
    [503, 'verdict_unavailable', '1'],
  );
  await ask(token);
  assert.equal(problems.length, 1, 'an outage is told once');
  assert.ok(!problems.join().includes(token));
  assert.match(guard.metrics(), /verdict="unavailable"} 2\n/);
});

test('a frozen service is given up in time, and asked again when it answers', async (t) => {
  const service = await testIssuer();
  t.after(() => service.close());
  const { problems, ask } = await apiIn(t, { issuer: service.issuer, timeoutMs: 200 });
  const token = service.token({ roles: ['editor'] });
  assert.equal((await ask(token, '/edit')).status, 200);
  service.freeze();
  const beganMs = performance.now();
  assert.equal((await ask(token)).status, 503);
  assert.ok(performance.now() - beganMs < 2000);
  service.thaw();
  assert.equal((await ask(token)).status, 200);
  assert.deepEqual([problems.length, problems[1]], [2, 'the service answers again']);
  const old = await ask(service.token({ roles: ['editor'], signedInAgo: 600 }), '/edit');
  assert.equal(old.status, 401);
  assert.match(old.headers.get('www-authenticate') ?? '', /error="insufficient_user_authentication".*max_age="300"/);
  await service.revoke(token);
  assert.equal((await ask(token)).status, 401);
});

test('an answer that is none of Catalytic, or is one about another token, lets nobody in', async (t) => {
  const service = await testIssuer();
  t.after(() => service.close());
  const [token, other] = [service.token(), service.token()];
  const { body: kept } = await fetch(`${service.issuer}/auth/verify`, {
    headers: { authorization: `Bearer ${other}` },
  });
  const ofOther = await new Response(kept).text();
  const answers: readonly (readonly [number, Record<string, string>, string])[] = [
    [200, json, ofOther],
    [200, json, '{"active":true}'],
    [200, json, 'true'],
    [200, { 'content-type': 'text/html' }, '<html>Welcome</html>'],
    [200, json, `{"active":true,"filling":"${'x'.repeat(70_000)}"}`],
    [204, {}, ''],
    [302, { location: `${service.issuer}/auth/verify` }, ''],
    [401, json, '{"code":"no_such_code"}'],
    [403, json, '{"code":"token_revoked"}'],
    [404, json, '{"code":"route_unknown"}'],
    [500, json, '{"active":true}'],
  ];
  let next: (typeof answers)[number] = [500, {}, ''];
  const impostor = await httpServerIn(t, (_request, response) => response.writeHead(next[0], next[1]).end(next[2]));
  const { ask } = await apiIn(t, { issuer: impostor.url });
  for (next of answers) {
    const answer = await ask(token);
    assert.deepEqual(
      [answer.status, await codeOf(answer)],
      [503, 'verdict_unavailable'],
      `${next[0]} ${next[2].slice(0, 40)}`,
    );
  }
});

test('a token in a form that no service has issued is refused without asking', async (t) => {
  let asked = 0;
  const counting = await httpServerIn(t, (_request, response) => {
    asked++;
    response.writeHead(500).end();
  });
  const { guard } = await apiIn(t, { issuer: counting.url });
  for (const header of ['Bearer a.b', `Bearer ${'a'.repeat(5000)}`, 'Bearer a.b.c.d', 'Bearer a=.b.c']) {
    const verdict = await guard.verify(header);
    assert.ok(!verdict.accepted && verdict.refusal.code === 'token_malformed', header);
  }
  for (const header of [undefined, '', 'Basic YTpi', 'Bearer', 'Bearer ', 'Bearer a b', 'Bearer a, Bearer b']) {
    const verdict = await guard.verify(header);
    assert.ok(!verdict.accepted && verdict.refusal.code === 'token_missing', String(header));
  }
  assert.equal(asked, 0);
});

test('a guard that was stopped while it asked lets nobody in', async (t) => {
  const service = await testIssuer();
  t.after(() => service.close());
  const guard = await createGuard({ mode: 'ask', issuer: service.issuer });
  const asking = guard.verify(`Bearer ${service.token()}`);
  await guard.stop();
  assert.deepEqual(
    [(await asking).accepted, (await guard.verify(`Bearer ${service.token()}`)).accepted],
    [false, false],
  );
});

test('a setting or a need that does not exist is an error at the start, not an open door', async () => {
  const issuer = 'http://127.0.0.1:1';
  for (const options of [{ issuer }, { mode: 'ask', issuer: 'id.example.com' }, { mode: 'ask', issuer, tennant: 'x' }])
    await assert.rejects(createGuard(options as GuardOptions), TypeError);
  for (const more of [{ timeoutMs: 0 }, { tenant: 'acme' }, { url: 'ftp://x' }, { issuer: 'https://a:b@x.example' }])
    await assert.rejects(createGuard({ mode: 'ask', issuer, ...more }), TypeError);
  const guard = await createGuard({ mode: 'ask', issuer: `${issuer}/` });
  assert.throws(() => guard.needs({ rôle: 'editor' } as object), /There is no need "rôle"/);
  assert.throws(() => guard.needs({ freshSignIn: '5 minutes' }), /5 minutes/);
  assert.throws(() => guard.needs({ scope: 'two scopes' }), TypeError);
  assert.throws(() => guard.protectedResource(), /give its URL to the guard as resource/);
});

test('needs behind a guard ask nothing again, and a request that says it is accepted is not', async (t) => {
  let asked = 0;
  const service = await testIssuer();
  t.after(() => service.close());
  const counting: typeof fetch = (input, init) => {
    asked++;
    return fetch(input, init);
  };
  const guard = await createGuard({ mode: 'ask', issuer: service.issuer, fetch: counting });
  const [first, second] = [guard.express(), guard.needs({ role: 'editor' })];
  const { url } = await httpServerIn(t, async (request, response) => {
    // What a body parser or another middleware may put there proves nothing.
    Object.assign(request, { auth: { roles: ['editor'], subject: 'forged' } });
    await first(request, response, () => void second(request, response, () => response.end('edited')));
  });
  const statusOf = async (token: string): Promise<number> =>
    (await fetch(url, { headers: { authorization: `bearer ${token}` } })).status;
  assert.deepEqual([await statusOf(service.token()), asked], [403, 1]);
  assert.deepEqual([await statusOf(service.token({ roles: ['editor'] })), asked], [200, 2]);
});
