import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { errorTable } from '../../packages/protocol/src/errors.ts';
import { paths } from '../../packages/protocol/src/paths.ts';
import { importLines, readLabKey } from '../harness/accounts.ts';
import { type Answer, get, logOut, post, refresh, request, signUp } from '../harness/client.ts';
import { codesOf, exampleOf, operationsOf, readApi } from '../harness/openapi.ts';
import { operateUrlOf } from '../harness/operate-url.ts';
import { serviceIn } from '../harness/service.ts';

/** Names that generated clients call: a change of one of them breaks those clients. */
const operationIds: Readonly<Record<string, string>> = {
  'POST /auth/register': 'postAuthRegister',
  'POST /auth/login': 'postAuthLogin',
  'POST /auth/refresh': 'postAuthRefresh',
  'POST /oauth/token': 'postOauthToken',
  'POST /oauth/introspect': 'postOauthIntrospect',
  'POST /oauth/revoke': 'postOauthRevoke',
  'POST /auth/logout': 'postAuthLogout',
  'POST /auth/logout-all': 'postAuthLogoutAll',
  'GET /auth/verify': 'getAuthVerify',
  'GET /auth/gateway': 'getAuthGateway',
  'GET /auth/me': 'getAuthMe',
  'POST /auth/password': 'postAuthPassword',
  'GET /auth/sessions': 'getAuthSessions',
  'DELETE /auth/sessions/{id}': 'deleteAuthSessionsId',
  'GET /api/protected': 'getApiProtected',
  'GET /.well-known/jwks.json': 'getWellKnownJwksJson',
  'GET /.well-known/oauth-authorization-server': 'getWellKnownOauthAuthorizationServer',
  'POST /admin/accounts/import': 'postAdminAccountsImport',
  'GET /admin/accounts': 'getAdminAccounts',
  'POST /admin/accounts': 'postAdminAccounts',
  'POST /admin/accounts/{id}/disable': 'postAdminAccountsIdDisable',
  'POST /admin/accounts/{id}/enable': 'postAdminAccountsIdEnable',
  'POST /admin/accounts/{id}/email': 'postAdminAccountsIdEmail',
  'POST /admin/accounts/{id}/roles': 'postAdminAccountsIdRoles',
  'POST /admin/accounts/{id}/password': 'postAdminAccountsIdPassword',
  'POST /admin/accounts/{id}/delete': 'postAdminAccountsIdDelete',
  'GET /admin/accounts/{id}/sessions': 'getAdminAccountsIdSessions',
  'POST /admin/accounts/{id}/sign-out': 'postAdminAccountsIdSignOut',
  'GET /admin/tenants': 'getAdminTenants',
  'POST /admin/tenants': 'postAdminTenants',
  'POST /admin/tenants/{id}/registration': 'postAdminTenantsIdRegistration',
  'POST /admin/invitations': 'postAdminInvitations',
  'POST /admin/tenants/{id}/suspend': 'postAdminTenantsIdSuspend',
  'POST /admin/tenants/{id}/resume': 'postAdminTenantsIdResume',
  'GET /admin/admin-keys': 'getAdminAdminKeys',
  'DELETE /admin/admin-keys/{id}': 'deleteAdminAdminKeysId',
  'POST /admin/signing-keys/{kid}/kill': 'postAdminSigningKeysKidKill',
  'GET /': 'getRoot',
  'GET /health/live': 'getHealthLive',
  'GET /health/ready': 'getHealthReady',
  'GET /metrics': 'getMetrics',
  'GET /openapi.json': 'getOpenapiJson',
  'GET /docs': 'getDocs',
};

/** `/auth/sessions/:id` → `/auth/sessions/{id}`. */
const templateOf = (path: string): string => path.replace(/:(\w+)/g, '{$1}');

/**
 * A value with every text, number and truth replaced by the name of its type, and of every list
 * only the first item.
 */
const shapeOf = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  const entries = Object.entries(value).map(([name, part]) => [name, shapeOf(part)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
};

const service = await serviceIn({ after });
const api = await readApi(service.url);

suite('the description of the API', () => {
  const described = (route: string) => {
    const operation = operationsOf(api).get(route);
    assert.ok(operation !== undefined, `${route} is not described`);
    return operation;
  };

  test('is valid OpenAPI 3.1, and every reference in it leads somewhere', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone(api) as unknown as Record<string, unknown>);
    assert.ok(valid, JSON.stringify(errors));
    assert.equal(validator.version, '3.1');
    for (const [, reference = ''] of JSON.stringify(api).matchAll(/"\$ref":"#\/([^"]+)"/g))
      assert.ok(
        reference.split('/').reduce<unknown>((part, name) => (part as Record<string, unknown>)?.[name], api) !==
          undefined,
        `${reference} leads nowhere`,
      );
  });

  test('has the operations in the order in which a newcomer needs them', () => {
    assert.deepEqual(Object.keys(api.paths), Object.values(paths).map(templateOf));
    const accounts = [...operationsOf(api).values()].filter(({ tags }) => tags.includes('Accounts'));
    assert.deepEqual(
      accounts.map(({ operationId }) => operationId),
      ['postAuthRegister', 'getAuthMe', 'postAuthPassword'],
    );
  });

  test('has every path of the service, under stable names', () => {
    const routes = operationsOf(api);
    assert.deepEqual(
      Object.values(paths)
        .map(templateOf)
        .filter((path) => api.paths[path] === undefined),
      [],
      'these paths are not described',
    );
    for (const [route, operationId] of Object.entries(operationIds))
      assert.equal(routes.get(route)?.operationId, operationId, route);
    const all = [...routes.values()].map(({ operationId }) => operationId);
    assert.equal(new Set(all).size, all.length, 'each name stands for one operation');
  });

  test('says how to authenticate, and that there are no cookies', () => {
    assert.match(api.info.description, /Bearer tokens only; no cookies/);
    assert.deepEqual(api.components.securitySchemes['accessToken']?.['scheme'], 'bearer');
    assert.doesNotMatch(JSON.stringify(api.components.securitySchemes), /"in":"cookie"/);
    assert.deepEqual(described('POST /auth/login').security, []);
    assert.deepEqual(described('GET /auth/verify').security, [{ accessToken: [] }]);
    assert.deepEqual(described('POST /admin/accounts/import').security, [{ adminKey: ['accounts:import'] }]);
    assert.deepEqual(described('POST /oauth/introspect').security, [{ client: [] }, {}]);
  });

  test('has nothing that generators of clients stumble over', () => {
    const titles = Object.keys(api.components.schemas);
    const inOneCase = new Set(titles.map((title) => title.toLowerCase()));
    assert.equal(inOneCase.size, titles.length, 'names that differ in case only are one file');
    for (const title of titles)
      assert.ok(!inOneCase.has(`new${title.toLowerCase()}`), `Go names the constructor of ${title} New${title}`);
    const walk = (node: unknown, place: string): void => {
      if (typeof node !== 'object' || node === null) return;
      const { type, const: constant, enum: words } = node as Readonly<Record<string, unknown>>;
      const isClosed = constant !== undefined || words !== undefined;
      assert.ok(!isClosed || typeof type === 'string', `${place}: a closed set of values without a type`);
      assert.ok(!isClosed || type === 'string', `${place}: generators take closed sets of texts only`);
      for (const [name, part] of Object.entries(node)) if (!/^examples?$/.test(name)) walk(part, `${place}/${name}`);
    };
    walk(api.paths, 'paths');
    walk(api.components, 'components');
    const asType = (name: string): string =>
      name.replaceAll(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
    for (const [title, { properties = {} }] of Object.entries(api.components.schemas))
      for (const [name, field] of Object.entries(properties))
        assert.ok(
          !('const' in field || 'enum' in field) || asType(name) !== title,
          `Rust gives the values of ${title}.${name} the name of ${title} itself`,
        );
    const limit = described('GET /admin/audit').parameters?.find(({ name }) => name === 'limit');
    assert.equal((limit as { readonly schema?: { readonly type?: string } } | undefined)?.schema?.type, 'integer');
  });

  test('explains every field and parameter', () => {
    const fields = Object.entries(api.components.schemas).flatMap(([title, { properties = {} }]) =>
      Object.entries(properties)
        // A reference has its description at its target.
        .filter(([, field]) => field.$ref === undefined)
        .map(([name, { description }]) => ({ name: `${title}.${name}`, description })),
    );
    const parameters = [...operationsOf(api)].flatMap(([route, operation]) =>
      (operation.parameters ?? []).map(({ name, description }) => ({ name: `${route} ${name}`, description })),
    );
    const silent = [...fields, ...parameters].filter(
      ({ description }) => description === undefined || description === '',
    );
    assert.deepEqual(
      silent.map(({ name }) => name),
      [],
    );
    assert.ok(fields.length > 40);
  });

  test('has examples that the service itself answers, in the same shape', async () => {
    const { url } = service;
    const bodyOf = (route: string) => exampleOf(described(route).requestBody);
    const check = (route: string, { status, body, text }: Answer): Record<string, unknown> => {
      const example = exampleOf(described(route).responses[status]);
      assert.ok(example !== undefined, `${route} has no example for ${status} ${text}`);
      assert.deepEqual(shapeOf(body), shapeOf(example), `${route} ${status}`);
      return body;
    };
    check('POST /auth/register', await post(`${url}/auth/register`, bodyOf('POST /auth/register')));
    const tokens = check('POST /auth/login', await post(`${url}/auth/login`, bodyOf('POST /auth/login')));
    const access = String(tokens['access_token']);
    check('POST /auth/refresh', await refresh(url, String(tokens['refresh_token'])));
    for (const path of ['/auth/verify', '/api/protected', '/auth/me'])
      check(`GET ${path}`, await get(`${url}${path}`, access));
    check('GET /auth/sessions', await get(`${url}/auth/sessions`, access));
    const change = await request(`${url}/auth/password`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${access}` },
      body: JSON.stringify(bodyOf('POST /auth/password')),
    });
    const changed = check('POST /auth/password', change);
    check('POST /auth/logout', await logOut(url, String(changed['access_token'])));
    for (const path of [
      '/.well-known/jwks.json',
      '/.well-known/oauth-authorization-server',
      '/health/live',
      '/health/ready',
    ])
      check(`GET ${path}`, await get(`${url}${path}`));
    const line = JSON.stringify({ email: 'none', password_hash: 'none' });
    const refused = await importLines(url, readLabKey(service.dataDir), line);
    assert.ok(codesOf(described('POST /admin/accounts/import'), 400).includes(String(refused.body['code'])));
  });

  test('names every refusal that the service gives, with the headers it carries', async () => {
    const { url } = service;
    const { access, refresh: refreshToken } = await signUp(url, 'refused@example.com');
    const { access: living } = await signUp(url, 'accepted@example.com');
    const form = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' };
    const signedForm = { ...form, headers: { ...form.headers, authorization: `Bearer ${living}` } };
    const json = (body: string) => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body });
    await refresh(url, refreshToken);
    await logOut(url, access);
    const refusals: readonly (readonly [route: string, code: string, answer: Answer])[] = [
      ['POST /auth/register', 'email_invalid', await post(`${url}/auth/register`, { email: 'x', password: 'x' })],
      [
        'POST /auth/register',
        'password_too_short',
        await post(`${url}/auth/register`, { email: 'b@b.b', password: 'x' }),
      ],
      [
        'POST /auth/register',
        'email_taken',
        await post(`${url}/auth/register`, { email: 'refused@example.com', password: 'a quite long sentence' }),
      ],
      ['POST /auth/login', 'credentials_invalid', await post(`${url}/auth/login`, { email: 'b@b.b', password: 'x' })],
      [
        'POST /auth/register',
        'registration_refused',
        await post(`${url}/auth/register`, { email: 'b@b.b', password: 'a quite long sentence', tenant: 'none' }),
      ],
      ['POST /auth/login', 'body_invalid', await post(`${url}/auth/login`, { email: 'b@b.b' })],
      ['POST /auth/login', 'body_malformed', await request(`${url}/auth/login`, json('{'))],
      ['POST /auth/login', 'body_too_large', await request(`${url}/auth/login`, json(' '.repeat(70_000)))],
      ['POST /auth/login', 'content_type_unsupported', await request(`${url}/auth/login`, form)],
      ['POST /auth/logout', 'content_type_unsupported', await request(`${url}/auth/logout`, signedForm)],
      ['POST /auth/refresh', 'refresh_invalid', await refresh(url, 'crt_x')],
      ['POST /auth/refresh', 'session_ended', await refresh(url, refreshToken)],
      ['GET /auth/verify', 'token_missing', await get(`${url}/auth/verify`)],
      ['GET /auth/verify', 'token_revoked', await get(`${url}/auth/verify`, access)],
      ['GET /auth/verify', 'body_invalid', await get(`${url}/auth/verify?x=1`, living)],
      ['POST /auth/logout', 'token_malformed', await logOut(url, 'x')],
      ['POST /auth/logout-all', 'token_revoked', await post(`${url}/auth/logout-all`, undefined, access)],
      ['POST /admin/accounts/import', 'admin_key_missing', await importLines(url, undefined, '')],
      ['POST /admin/accounts/import', 'admin_key_invalid', await importLines(url, 'x', '')],
    ];
    for (const [route, code, { status, body, headers }] of refusals) {
      const operation = described(route);
      assert.equal(body['code'], code, route);
      assert.ok(codesOf(operation, status).includes(code), `${route} does not name ${status} ${code}`);
      const { detail: _detail, request_id: _id, errors: _errors, ...fixed } = body;
      const { request_id: _example, ...example } = api.components.examples[code]?.value ?? {};
      assert.deepEqual(fixed, example, code);
      if (headers.has('www-authenticate'))
        assert.ok(operation.responses[status]?.headers?.['WWW-Authenticate'] !== undefined, `${route} ${code}`);
    }
    for (const [route, operation] of operationsOf(api)) {
      assert.ok(operation.responses['503']?.headers?.['Retry-After'] !== undefined, route);
      // OAuth has its own statuses (RFC 6749 section 5.2).
      for (const status of Object.keys(operation.responses))
        for (const code of codesOf(operation, Number(status)))
          if (!route.startsWith('POST /oauth/'))
            assert.equal(errorTable[code as keyof typeof errorTable].status, Number(status), `${route} ${code}`);
    }
  });
});

test('every code of the error table is named by a route, but for those of requests that no route is for', () => {
  const named = new Set(
    [...operationsOf(api).values()].flatMap((operation) =>
      Object.keys(operation.responses).flatMap((status) => codesOf(operation, Number(status))),
    ),
  );
  assert.deepEqual(
    Object.keys(errorTable).filter((code) => !named.has(code)),
    ['route_unknown', 'method_unsupported', 'origin_unlisted'],
  );
});

test('each listener describes its own routes, and only the public one says where clients go', async (t) => {
  const issuer = 'https://id.example/auth';
  const service = await serviceIn(t, { OPERATE_PORT: 0, ISSUER: issuer });
  const operateUrl = operateUrlOf(service);
  const [open, operate] = [await readApi(service.url), await readApi(operateUrl)];
  assert.deepEqual(
    Object.keys(open.paths).filter((path) => /^\/(admin|metrics)/.test(path)),
    [],
  );
  assert.deepEqual(
    Object.keys(operate.paths).sort(),
    Object.values(paths)
      .filter((path) => /^\/($|admin|health|metrics|openapi|docs)/.test(path))
      .map(templateOf)
      .sort(),
  );
  assert.deepEqual(
    open.servers.map(({ url }) => url),
    ['/', issuer],
  );
  assert.deepEqual(
    operate.servers.map(({ url }) => url),
    ['/'],
  );
});

test('with DOCS=0 nothing describes the service', async (t) => {
  const { url } = await serviceIn(t, { DOCS: 0 });
  for (const path of ['/docs', '/docs/page.js', '/openapi.json'])
    assert.equal((await get(`${url}${path}`)).body['code'], 'route_unknown', path);
});
