import assert from 'node:assert/strict';
import { argon2Sync } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { startHttpServer } from '../../../../tests/harness/http-server.ts';
import { type AccountPlan, type AccountSource, prepareAccounts } from './accounts.ts';
import { Connection } from './connection.ts';

interface Import {
  readonly url: string | undefined;
  readonly authorization: string | undefined;
  readonly lines: readonly { email: string; password_hash: string }[];
}

const plan: AccountPlan = {
  key: { value: 'admin-key' },
  tenant: 'lab',
  users: 4500,
  password: 'correct horse battery',
  runTag: 'tag',
};

/** What Catalytic answers to a request without a key. */
const asCatalytic = (response: ServerResponse): void => {
  const body = JSON.stringify({ type: 'urn:catalytic:error:credentials_missing', status: 401 });
  response.writeHead(401, { 'content-type': 'application/problem+json' }).end(body);
};

/** Prepares against a target that answers with `status` and `bodyOf` the lines it got. @param introduce its answer to a request without a key */
const prepare = async (
  given: AccountPlan,
  status: number,
  bodyOf: (lines: number) => unknown,
  introduce = asCatalytic,
): Promise<{ source: AccountSource; imports: readonly Import[]; progress: readonly number[] }> => {
  const imports: Import[] = [];
  const progress: number[] = [];
  const server = await startHttpServer(async (request, response) => {
    if (request.headers.authorization === undefined) return introduce(response);
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    const lines = text.split('\n').map((line) => JSON.parse(line) as Import['lines'][number]);
    imports.push({ url: request.url, authorization: request.headers.authorization, lines });
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(bodyOf(lines.length)));
  });
  const { url: origin } = server;
  const connection = new Connection(origin, { connectMs: 1000, answerMs: 20_000 });
  try {
    return { source: await prepareAccounts(connection, given, (done) => progress.push(done)), imports, progress };
  } finally {
    await connection.destroy();
    server.close();
  }
};

const answering =
  (status: number, body: string, headers = {}) =>
  (response: ServerResponse): void =>
    void response.writeHead(status, headers).end(body);

const strangers: Readonly<Record<string, readonly [(response: ServerResponse) => void, RegExp]>> = {
  'answers 200 to everything': [answering(200, '{"type":"urn:catalytic:error:none"}'), /answered 200/],
  'has a login page of its own': [answering(401, '<html>Sign in</html>'), /without a problem of Catalytic's/],
  'refuses with problems of its own': [answering(401, '{"type":"about:blank"}'), /without a problem of Catalytic's/],
  'answers null': [answering(401, 'null'), /without a problem of Catalytic's/],
  'redirects to one that would do': [answering(302, '', { location: '/elsewhere' }), /answered 302/],
  'hangs up': [(response) => void response.destroy(), /did not answer: /],
  'never answers': [() => {}, /did not answer: nothing within 5 s/],
};

test('a key goes only to a service that says it is Catalytic', { timeout: 30_000 }, async () => {
  const tried = Object.entries(strangers).map(async ([what, [introduce, reason]]) => {
    const { source, imports } = await prepare({ ...plan, users: 1 }, 200, () => ({ imported: 1 }), introduce);
    assert.deepEqual([source.kind, imports], ['registered', []], `a service that ${what} has got the key`);
    assert.match(
      source.reason ?? '',
      /^the target does not say that it is Catalytic, so it gets no key: GET \/admin\/accounts/,
    );
    assert.match(source.reason ?? '', reason, what);
  });
  await Promise.all(tried);
});

test('with a key the whole pool is imported, with a hash that its password opens', async () => {
  const { source, imports, progress } = await prepare(plan, 200, (lines) => ({ imported: lines, existing: 0 }));
  assert.equal(source.kind, 'imported');
  assert.deepEqual(progress, [2000, 4000, 4500]);
  assert.ok(
    imports.every(({ url, authorization }) => url?.endsWith('?tenant=lab') && authorization === 'Bearer admin-key'),
  );
  const lines = imports.flatMap((request) => request.lines);
  assert.equal(new Set(lines.map(({ email }) => email)).size, 4500);
  assert.deepEqual(source.credentialsOf(4499), { email: lines[4499]?.email, password: plan.password, tenant: 'lab' });

  const [, algorithm, version, parameters, salt = '', hash = ''] = lines[0]?.password_hash.split('$') ?? [];
  assert.deepEqual([algorithm, version, parameters], ['argon2id', 'v=19', 'm=19456,t=2,p=1']);
  const nonce = Buffer.from(salt, 'base64');
  const input = { message: plan.password, nonce, parallelism: 1, tagLength: 32, memory: 19_456, passes: 2 };
  assert.deepEqual(argon2Sync('argon2id', input), Buffer.from(hash, 'base64'));
});

test('without a key users register themselves, and the result says why', async () => {
  const { source, imports } = await prepare({ ...plan, key: { missing: 'no key here' } }, 200, () => ({}));
  assert.deepEqual([source.kind, source.reason, imports.length], ['registered', 'no key here', 0]);
  assert.deepEqual(Object.keys(source.credentialsOf(0)), ['email', 'password']);
});

test('a target without the import route makes users register themselves', async () => {
  const { source } = await prepare(plan, 404, () => ({ code: 'route_unknown' }));
  assert.equal(source.kind, 'registered');
  assert.equal(source.reason, 'the import was refused: the target answered 404 route_unknown');
});

test('an import that did not make every account is not used: another password may be theirs', async () => {
  const { source } = await prepare({ ...plan, users: 10 }, 200, () => ({ imported: 9, existing: 1 }));
  assert.equal(source.reason, 'the import was refused: the target imported 9 of 10 accounts');
});
