import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { after, suite, test } from 'node:test';
import { signUp } from '../harness/client.ts';
import { folderIn, runCatalytic, serviceIn } from '../harness/service.ts';

const app = 'https://app.example.com';
const local = 'http://localhost:5173';

interface RawAnswer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

/** Not `fetch`: it would not let a test choose the origin. */
const ask = (url: string, method: string, headers: NodeJS.Dict<string | string[]>): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const sent = httpRequest(url, { method, headers: headers as Record<string, string>, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
    });
    sent.once('error', reject);
    sent.end();
  });

const preflight = (url: string, origin: string | string[]): Promise<RawAnswer> =>
  ask(`${url}/auth/login`, 'OPTIONS', {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type,traceparent',
  });

const corsHeadersOf = ({ headers }: RawAnswer): readonly string[] =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'));

/** Each is near to a listed origin, and none is one. */
const strangers: readonly (string | string[])[] = [
  'null',
  '*',
  '',
  'https://app.example.com.evil.example',
  'https://evil.example/app.example.com',
  'https://evilapp.example.com',
  'https://example.com',
  'https://sub.app.example.com',
  'https://app.example.co',
  'https://app.example.com:444',
  'https://app.example.com:443',
  'https://app.example.com/',
  'https://app.example.com.',
  'https://APP.example.com',
  'HTTPS://app.example.com',
  'http://app.example.com',
  'https://app.example.com@evil.example',
  'https://evil.example#https://app.example.com',
  'https://app.example.com https://evil.example',
  'https://app.example.com, http://localhost:5173',
  'http://localhost',
  'http://localhost:51730',
  'http://127.0.0.1:5173',
  ['https://evil.example', 'https://app.example.com'],
];

const service = await serviceIn({ after }, { CORS_ORIGINS: `${app}, ${local}` });

suite('pages of other sites', () => {
  test('a listed origin may ask everything that the routes answer, and send a token and JSON', async () => {
    for (const origin of [app, local]) {
      const { status, headers } = await preflight(service.url, origin);
      assert.equal(status, 204);
      assert.equal(headers['access-control-allow-origin'], origin);
      assert.deepEqual(String(headers['access-control-allow-methods']).split(', ').slice(0, 2).sort(), ['GET', 'POST']);
      assert.equal(
        headers['access-control-allow-headers'],
        'authorization, content-type, authorization,content-type,traceparent',
        'any header that a page asks for',
      );
      assert.match(String(headers['access-control-max-age']), /^\d+$/);
      assert.equal(headers['access-control-allow-credentials'], undefined);
      assert.equal(headers['vary'], 'Origin');
    }
  });

  test('it reads answers and refusals, with what they say about waiting and authenticating', async () => {
    const { access } = await signUp(service.url, 'page@example.com');
    const cases: readonly (readonly [string, string, NodeJS.Dict<string>, number])[] = [
      ['GET', '/api/protected', { authorization: `Bearer ${access}` }, 200],
      ['GET', '/api/protected', {}, 401],
      ['POST', '/auth/login', {}, 400],
      ['GET', '/nowhere', {}, 404],
      ['PUT', '/auth/login', {}, 405],
      // Refused by the framework before any step of ours.
      ['GET', '/%zz', {}, 400],
    ];
    for (const [method, path, headers, status] of cases) {
      const answer = await ask(`${service.url}${path}`, method, { ...headers, origin: app });
      assert.equal(answer.status, status, path);
      assert.equal(answer.headers['access-control-allow-origin'], app, path);
      assert.equal(answer.headers['vary'], 'Origin', path);
      for (const name of ['Retry-After', 'WWW-Authenticate', 'RateLimit', 'X-Request-Id'])
        assert.match(String(answer.headers['access-control-expose-headers']), new RegExp(`\\b${name}\\b`));
    }
  });

  test('any other origin is told nothing, by a preflight or an answer', async () => {
    for (const origin of strangers) {
      const asked = await preflight(service.url, origin);
      // An empty origin is none.
      assert.equal(asked.status, 403, `preflight of ${origin}`);
      assert.match(asked.text, /CORS_ORIGINS lists no origin like/);
      assert.deepEqual(corsHeadersOf(asked), [], `preflight of ${origin}`);
      const read = await ask(`${service.url}/health/live`, 'GET', { origin });
      assert.deepEqual(corsHeadersOf(read), [], `answer to ${origin}`);
      assert.equal(read.headers['vary'], 'Origin', 'a cache must tell the two apart');
    }
  });

  test('an answer of the fast path of verify varies with the origin too', async () => {
    const { access } = await signUp(service.url, 'varying@example.com');
    for (const target of ['/auth/verify', '/auth/verify?']) {
      const { status, headers } = await ask(`${service.url}${target}`, 'GET', { authorization: `Bearer ${access}` });
      assert.deepEqual([status, headers['vary']], [200, 'Origin'], target);
    }
  });

  test('a request of no page is answered as ever', async () => {
    const { status, headers } = await ask(`${service.url}/health/live`, 'GET', {});
    assert.deepEqual([status, headers['vary'], headers['access-control-allow-origin']], [200, 'Origin', undefined]);
    const options = await ask(`${service.url}/auth/login`, 'OPTIONS', { origin: app });
    assert.equal(options.status, 405, 'OPTIONS that asks for no method is no preflight');
  });
});

test('an asterisk stands for the subdomains of its domain, and for nothing else', async (t) => {
  const { url } = await serviceIn(t, { CORS_ORIGINS: 'https://*.example.com,http://*.localhost:5173' });
  for (const origin of ['https://a.example.com', 'https://pr-7.a.example.com', 'http://acme.localhost:5173']) {
    const { status, headers } = await preflight(url, origin);
    assert.deepEqual([status, headers['access-control-allow-origin']], [204, origin]);
  }
  for (const origin of [
    'https://example.com',
    'https://*.example.com',
    'https://.example.com',
    'https://a..example.com',
    'https://evil.example?.example.com',
    'https://evil.example/.example.com',
    'https://evil.example:1.example.com',
    'https://evil@a.example.com',
    'https://evilexample.com',
    'https://a.example.com:444',
    'http://a.example.com',
    'http://localhost:5173',
    'http://a.localhost',
  ]) {
    const refused = await preflight(url, origin);
    assert.deepEqual([refused.status, corsHeadersOf(refused)], [403, []], origin);
  }
});

test('a preflight that names no headers, or something else, is answered with the usual ones', async () => {
  for (const asked of [undefined, '', 'a b', 'a,,b', 'x: y', 'ü'])
    assert.equal(
      (
        await ask(`${service.url}/auth/login`, 'OPTIONS', {
          origin: app,
          'access-control-request-method': 'POST',
          ...(asked !== undefined && { 'access-control-request-headers': Buffer.from(asked).toString('latin1') }),
        })
      ).headers['access-control-allow-headers'],
      'authorization, content-type',
      asked ?? 'none',
    );
});

test('without CORS_ORIGINS there is no such header at all, and a refused preflight says so', async (t) => {
  const { url } = await serviceIn(t);
  const { status, text } = await preflight(url, app);
  assert.equal(status, 403);
  assert.match(text, /"code":"origin_unlisted".*CORS_ORIGINS/);
  for (const answer of [await preflight(url, app), await ask(`${url}/health/live`, 'GET', { origin: app })]) {
    assert.deepEqual(corsHeadersOf(answer), []);
    assert.equal(answer.headers['vary'], undefined);
  }
});

test('an origin that no browser sends stops the start', async (t) => {
  const { code, stderr } = await runCatalytic(['serve'], { DATA_DIR: folderIn(t), PORT: 0, CORS_ORIGINS: `${app}/` });
  assert.equal(code, 2);
  assert.match(stderr, /CORS_ORIGINS .* is not origins exactly as browsers send them/);
});
