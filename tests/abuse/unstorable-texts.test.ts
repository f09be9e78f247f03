import assert from 'node:assert/strict';
import * as nodeTest from 'node:test';
import { passwordHash } from '../harness/accounts.ts';
import { type Answer, request, signUp } from '../harness/client.ts';
import { exampleOf, operationsOf, readApi } from '../harness/openapi.ts';
import { needsPostgres } from '../harness/postgres.ts';
import { createDatabase, sharedServer } from '../harness/postgres-engine.ts';
import { scopeOfSuite } from '../harness/scope.ts';
import { folderIn, runCatalytic, type Service, type Settings, serviceOn } from '../harness/service.ts';

/** A text that no engine stores alike: PostgreSQL has no NUL, and no encoding has half of a pair. */
const unstorable = ['a\u0000b@example.com', 'a\ud800b@example.com'];

/** The value with each of its texts made unstorable in turn. */
const spoilt = (value: unknown, text: string): readonly unknown[] => {
  if (typeof value === 'string') return [text];
  if (Array.isArray(value))
    return [...value, 'x'].map((_, index) => value.with(index < value.length ? index : -1, text));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    spoilt(inner, text).map((changed) => ({ ...value, [name]: changed })),
  );
};

interface Caller {
  readonly service: Service;
  readonly adminKey: string;
  readonly access: string;
}

const send = (
  { service, adminKey, access }: Caller,
  operation: string,
  query: string,
  body: string | undefined,
  mediaType = 'application/json',
): Promise<Answer> => {
  const [method = '', path = ''] = operation.split(' ');
  const place = path.replace(/\{[^}]*\}/g, '01a2119f-28ab-7cd0-9da2-d1309a4329b7');
  return request(`${service.url}${place}${query}`, {
    method,
    headers: {
      authorization: `Bearer ${path.startsWith('/admin') ? adminKey : access}`,
      ...(body !== undefined && { 'content-type': mediaType }),
    },
    ...(body !== undefined && { body }),
  });
};

nodeTest.suite('texts that cannot be stored', needsPostgres(), () => {
  const scope = scopeOfSuite(nodeTest);
  const server = sharedServer(nodeTest);
  let embedded: Caller;
  let shared: Caller;

  const start = async (settings: Settings): Promise<Caller> => {
    const dataDir = folderIn(scope);
    const service = await serviceOn(scope, dataDir, settings);
    const scopes = [
      'accounts:write',
      'accounts:read',
      'accounts:import',
      'tenants:write',
      'tenants:read',
      'audit:read',
    ];
    const words = scopes.flatMap((scope) => ['--scope', scope]);
    const made = await runCatalytic(['admin-keys', 'create', ...words], { ...settings, DATA_DIR: dataDir });
    assert.equal(made.code, 0, made.stderr);
    return { service, adminKey: made.stdout.trim(), access: (await signUp(service.url, 'ada@example.com')).access };
  };

  nodeTest.before(async () => {
    const { url } = await createDatabase(await server());
    [embedded, shared] = await Promise.all([start({}), start({ DATABASE_URL: url, WORKERS: 1 })]);
  });

  nodeTest.test('in no field of any route are they a failure, and both engines answer alike', async () => {
    let asked = 0;
    const compare = async (operation: string, query: string, body?: string) => {
      const replies = await Promise.all([embedded, shared].map((caller) => send(caller, operation, query, body)));
      const [one, other] = replies;
      assert.ok((one?.status ?? 500) < 500, `${operation}${query} ${body}: ${one?.text}`);
      assert.equal(other?.status, one?.status, `${operation}${query} ${body}: ${other?.text}`);
      asked++;
    };
    for (const [operation, { parameters = [], requestBody }] of operationsOf(await readApi(embedded.service.url))) {
      for (const { name } of parameters.filter((parameter) => parameter.in === 'query'))
        await compare(operation, `?${name}=a%00b`);
      for (const text of unstorable)
        for (const body of spoilt(exampleOf(requestBody), text)) await compare(operation, '', JSON.stringify(body));
    }
    assert.ok(asked > 20, `${asked} requests`);
    assert.doesNotMatch(shared.service.output(), /internal_error/);
  });

  nodeTest.test('they sign nobody in, and administrators learn which field holds them', async () => {
    for (const caller of [embedded, shared])
      for (const text of unstorable) {
        const login = JSON.stringify({ email: text, password: 'nine lanterns' });
        assert.equal((await send(caller, 'POST /auth/login', '', login)).status, 401);
        const account = JSON.stringify({
          email: 'r@example.com',
          password: 'difference engine no 9',
          roles: ['a', text],
        });
        const refused = await send(caller, 'POST /admin/accounts', '', account);
        assert.equal(refused.status, 400);
        assert.match(refused.text, /"field":"\/roles\/1","message":"must not hold NUL/);
        const line = JSON.stringify({ email: 'i@example.com', password_hash: passwordHash('x'), roles: [text] });
        const imported = await send(caller, 'POST /admin/accounts/import', '', line, 'application/x-ndjson');
        assert.equal(imported.status, 400);
        assert.match(imported.text, /one of its roles holds NUL/);
      }
    const asked = await send(shared, 'GET /admin/accounts', '?email=a%00b', undefined);
    assert.equal(asked.status, 400);
    assert.match(asked.text, /"field":"\/email"/);
  });
});
