import assert from 'node:assert/strict';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import { get, goodPassword, logOut, post, request, signUp } from '../harness/client.ts';
import { readMetrics } from '../harness/metrics.ts';
import { exchange, rawRequest, requestBytes } from '../harness/raw.ts';
import { folderIn, type Service, serviceIn, spawnCatalytic } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

type Line = Readonly<Record<string, unknown>>;

const linesOf = ({ output }: Service): readonly Line[] =>
  output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);

const requestLines = (service: Service): readonly Line[] =>
  linesOf(service).filter(({ code, method }) => code !== undefined || method !== undefined);

suite('log lines of requests', { concurrency: 2 }, () => {
  test('a refusal is one line that says who, where and why by ids and patterns; a success is none', async (t) => {
    const service = await serviceIn(t);
    const { url } = service;
    const { access, session } = await signUp(url, 'lines@example.com');
    for (let count = 0; count < 20; count++) assert.equal((await get(`${url}/auth/verify`, access)).status, 200);
    assert.deepEqual(requestLines(service), [], 'what succeeds is counted, not written');

    const answer = await request(`${url}/auth/verify?token=${access}`, {
      headers: { authorization: `Bearer ${access}`, 'x-request-id': 'trace-0123456789' },
    });
    assert.equal(answer.body['request_id'], 'trace-0123456789');
    await post(`${url}/auth/login`, { email: 'lines@example.com', password: 'quite another one than that' });
    await get(`${url}/accounts/lines@example.com`);
    assert.equal((await logOut(url, access)).status, 200);
    await get(`${url}/auth/me`, access);
    await exchange(url, 'NONSENSE\r\n\r\n');
    await waitUntil('the service', 'write its lines', 2000, () => requestLines(service).length === 5);
    const [invalid, wrong, unknown, dead, nonsense] = requestLines(service).map(
      ({ time, pid, durationMs, requestId, ...line }) => {
        assert.ok(Number.isInteger(pid) && Date.parse(String(time)) > 0);
        if (line['route'] !== undefined) assert.ok(Number(durationMs) >= 0 && Number(durationMs) < 10_000);
        if (line['method'] !== undefined) assert.match(String(requestId), /^[\w-]{8,36}$/);
        return line;
      },
    );
    const { accountId, tenantId, ...named } = invalid ?? {};
    assert.match(`${accountId} ${tenantId}`, /^[\da-f-]{36} [\da-f-]{36}$/);
    const refused = { level: 'info', msg: 'Refused', address: '127.0.0.1' };
    assert.deepEqual(named, {
      ...refused,
      code: 'body_invalid',
      method: 'GET',
      route: '/auth/verify',
      status: 400,
      sessionId: session,
    });
    assert.deepEqual(wrong, {
      ...refused,
      code: 'credentials_invalid',
      method: 'POST',
      route: '/auth/login',
      status: 401,
    });
    assert.deepEqual(unknown, { ...refused, code: 'route_unknown', method: 'GET', status: 404 });
    assert.deepEqual(dead, { ...refused, code: 'token_revoked', method: 'GET', route: '/auth/me', status: 401 });
    assert.deepEqual(nonsense, {
      level: 'info',
      code: 'request_malformed',
      status: 400,
      msg: 'Rejected a malformed request',
    });
    for (const secret of [access, access.split('.')[1] ?? '', 'lines@', goodPassword, 'quite another'])
      assert.ok(!service.output().includes(secret), `the log holds ${secret}`);

    const { text } = await get(`${url}/metrics`);
    const metrics = readMetrics(text);
    assert.equal(metrics.get('catalytic_answers_total{route="/auth/verify",class="2xx",worker="1"}'), 20);
    assert.equal(metrics.get('catalytic_refusals_total{code="token_revoked",worker="1"}'), 1);
  });

  test('an id that a client gives is taken only if it is short and harmless', async (t) => {
    const { url } = await serviceIn(t);
    const idFor = async (...given: readonly string[]): Promise<string | null> => {
      const lines = given.map((id) => `X-Request-Id: ${id}`);
      return (await rawRequest(url, 'GET', '/auth/verify', lines)).headers.get('x-request-id');
    };
    for (const id of ['8f14e45f-ceea-467f-a1d4-0123456789ab', 'trace.1234_56']) assert.equal(await idFor(id), id);
    for (const ids of [['short'], ['x'.repeat(37)], ['ada@example.com'], ['{"a":"bcdefgh"}'], ['12345678', '12345678']])
      assert.match(String(await idFor(...ids)), /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/, ids.join());
    const withId = { headers: { 'x-request-id': 'trace-0123456789' } };
    assert.equal((await request(`${url}/health/live`, withId)).headers.get('x-request-id'), 'trace-0123456789');
    assert.equal((await get(`${url}/health/live`)).headers.get('x-request-id'), null);
  });

  test('a storm of refusals leaves a few lines, and one that counts the others', async (t) => {
    const service = await serviceIn(t);
    const bad = requestBytes('GET', '/auth/verify').toString().replace('Connection: close\r\n', '');
    const storm = 600;
    let answered = 0;
    for (let sent = 0; sent < storm; sent += 50)
      answered += (await exchange(service.url, bad.repeat(49) + requestBytes('GET', '/auth/verify').toString())).length;
    const ofStorm = () => linesOf(service).filter(({ code }) => code === 'token_missing');
    const written = (): number => ofStorm().filter(({ msg }) => msg === 'Refused').length;
    const leftOut = (): number => ofStorm().reduce((sum, line) => sum + Number(line['leftOut'] ?? 0), 0);
    await waitUntil('the log', 'tell what it left out', 5000, () => written() + leftOut() >= answered);
    assert.deepEqual([answered, written() + leftOut()], [storm, storm]);
    assert.ok(written() < storm / 2, `${written()} lines`);
    const { body } = await get(`${service.url}/auth/login`);
    assert.equal(body['code'], 'method_unsupported');
    await waitUntil('the log', 'write of another code', 2000, () => service.output().includes('"method_unsupported"'));
  });

  test('a log that nobody reads holds nothing up, neither answers nor the end', async (t) => {
    const settings = { PORT: 0, DATA_DIR: folderIn(t), HASH_LANES: 1, LOG_LEVEL: 'debug', KEEP_ALIVE_SECONDS: 1 };
    const child = spawnCatalytic(['serve'], settings);
    t.after(() => child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    let stdout = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    await waitUntil('the service', 'serve', 20_000, () => stdout.includes('serves on'));
    const url = /serves on (\S+)/.exec(stdout)?.[1] ?? '';
    // A line each, more than the system holds for a reader.
    const last = requestBytes('GET', '/health/live').toString();
    for (let sent = 0; sent < 3600; sent += 90)
      assert.equal((await exchange(url, last.replace('Connection: close\r\n', '').repeat(89) + last)).length, 90);
    const waiting = readMetrics((await get(`${url}/metrics`)).text).get('catalytic_current{worker="1"}');
    assert.equal(waiting, 1);
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
  });
});
