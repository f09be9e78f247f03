/**
 * Guards that reach their verdicts by themselves, in the modes `strict` and `follow`, beside the service of the package's users' own tests.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createGuard, type GuardOptions } from '@catalytic/guard';
import { type TestIssuerOptions, testIssuer } from '@catalytic/guard/testing';
import { httpServerIn } from '../harness/http-server.ts';
import { waitUntil } from '../harness/wait-until.ts';

/** Of guards that a test lets become stale. */
const shortLeaseMs = 800;

const serviceIn = async (t: TestContext, options: TestIssuerOptions = {}) => {
  const service = await testIssuer(options);
  t.after(() => service.close());
  return service;
};

const guardIn = async (t: TestContext, options: GuardOptions) => {
  const problems: string[] = [];
  const guard = await createGuard({ onProblem: (message) => problems.push(message), ...options });
  t.after(() => guard.stop());
  const codeOf = async (token: string, needs = {}): Promise<string> => {
    const verdict = await guard.verify(`Bearer ${token}`, needs);
    return verdict.accepted ? 'accepted' : verdict.refusal.code;
  };
  return { guard, problems, codeOf };
};

/** A way to the service that can be cut for polls only, and counts the questions about tokens. */
const wayIn = async (t: TestContext, target: string) => {
  const way = { url: '', isCut: false, asked: 0 };
  const { url } = await httpServerIn(t, async (request, response) => {
    if (request.url === '/auth/verify') way.asked++;
    else if (way.isCut) return void request.socket.destroy();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', headers } = request;
    const answer = await fetch(`${target}${request.url}`, {
      method,
      headers: { authorization: headers.authorization ?? '', 'content-type': 'application/json' },
      ...(method === 'POST' && { body: Buffer.concat(chunks) }),
    }).catch(() => undefined);
    if (answer === undefined || (way.isCut && request.url !== '/auth/verify')) return void request.socket.destroy();
    response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
  });
  return Object.assign(way, { url });
};

for (const mode of ['strict', 'follow'] as const)
  test(`a guard in mode ${mode} accepts a live token without asking, and refuses it when the sign-out has answered`, async (t) => {
    const service = await serviceIn(t);
    const way = await wayIn(t, service.issuer);
    // The service tells guards that only follow apart by their connections, which this way does not keep apart.
    const url = mode === 'strict' ? way.url : service.issuer;
    const { guard, codeOf } = await guardIn(t, { mode, issuer: service.issuer, url, key: service.key });
    const { current, registered, entries, remainingMs } = guard.state;
    assert.deepEqual([current, registered, entries], [true, mode === 'strict', 0]);
    assert.ok(remainingMs > 0 && remainingMs <= 2000);
    const [token, other] = [service.token({ roles: ['editor'] }), service.token()];
    assert.equal(await codeOf(token, { role: 'editor' }), 'accepted');
    assert.equal(await codeOf(other, { role: 'editor' }), 'role_missing');
    assert.equal(guard.check(token).accepted, true);
    const beganMs = performance.now();
    await service.revoke(token);
    assert.ok(performance.now() - beganMs < 2000, 'it waits for the guard, not for its lease');
    const verdict = guard.check(token);
    assert.ok(!verdict.accepted && verdict.refusal.code === 'token_revoked');
    assert.deepEqual([await codeOf(token), await codeOf(other), way.asked], ['token_revoked', 'accepted', 0]);
    assert.equal(await codeOf(service.token({ expiresIn: -5 })), 'token_expired');
    assert.equal(await codeOf(`${token.slice(0, -4)}AAAA`), 'token_signature_invalid');
    assert.equal(await codeOf('a.b.c'), 'token_malformed');
    assert.equal((guard.check(7 as never) as { refusal: { code: string } }).refusal.code, 'token_malformed');
    assert.match(guard.metrics(), new RegExp(`catalytic_guard_current{mode="${mode}"} 1\n`));
    await guard.stop();
    assert.deepEqual([await codeOf(other), guard.check(other).accepted], ['verdict_unavailable', false]);
    assert.equal(guard.state.current, false);
  });

test('without the service a guard accepts for the rest of its lease; then it answers 503, once told, until the service is back', async (t) => {
  const service = await serviceIn(t, { leaseMs: shortLeaseMs });
  const { guard, problems, codeOf } = await guardIn(t, { issuer: service.issuer, key: service.key });
  const token = service.token();
  service.freeze();
  assert.equal(await codeOf(token), 'accepted');
  await waitUntil('the guard', 'end its lease', 5000, () => !guard.state.current);
  const beganMs = performance.now();
  const verdict = await guard.verify(`Bearer ${token}`);
  const tookMs = performance.now() - beganMs;
  assert.ok(!verdict.accepted && verdict.refusal.status === 503 && verdict.refusal.headers['retry-after'] === '1');
  assert.ok(tookMs >= 240 && tookMs < 2000, `it waited ${tookMs} ms`);
  await waitUntil('the guard', 'tell it', 5000, () => problems.length > 0);
  service.thaw();
  await waitUntil('the guard', 'be current again', 5000, () => guard.state.current);
  assert.equal(await codeOf(token), 'accepted');
  assert.equal(problems.length, 2, problems.join('\n'));
  assert.match(String(problems[0]), /did not answer/);
  assert.ok(!problems.join().includes(service.key));
});

test('it starts without the service, and becomes current by itself', async (t) => {
  const service = await serviceIn(t, { leaseMs: shortLeaseMs });
  service.freeze();
  const { guard, problems } = await guardIn(t, { issuer: service.issuer, key: service.key, timeoutMs: 300 });
  assert.deepEqual([guard.state.current, problems.length], [false, 1]);
  service.thaw();
  await waitUntil('the guard', 'become current', 5000, () => guard.state.current);
});

test('while it is not current a route may ask, for each request by itself, or in mode follow let in', async (t) => {
  const service = await serviceIn(t, { leaseMs: shortLeaseMs });
  const way = await wayIn(t, service.issuer);
  const { guard, codeOf } = await guardIn(t, {
    ...{ mode: 'follow', issuer: service.issuer, url: way.url, key: service.key, whenStale: 'ask' },
  });
  const token = service.token();
  assert.deepEqual([await codeOf(token), way.asked], ['accepted', 0]);
  way.isCut = true;
  await waitUntil('the guard', 'end its lease', 5000, () => !guard.state.current);
  assert.deepEqual(await Promise.all([codeOf(token), codeOf(token), codeOf(token)]), Array(3).fill('accepted'));
  assert.equal(way.asked, 3);
  await service.revoke(token);
  assert.equal(await codeOf(token), 'token_revoked');
  assert.deepEqual([await codeOf(token, { whenStale: 'allow' }), guard.state.acceptedStale], ['accepted', 1]);
  assert.equal(await codeOf(service.token({ expiresIn: -5 }), { whenStale: 'allow' }), 'token_expired');
  assert.equal(await codeOf(token, { whenStale: 'deny' }), 'verdict_unavailable');
});

test('a signal aborts when the session ends, when the token expires, and when the guard stops', async (t) => {
  const service = await serviceIn(t);
  const { guard } = await guardIn(t, { issuer: service.issuer, key: service.key });
  const signalOf = (token: string): AbortSignal => {
    const verdict = guard.check(token);
    assert.ok(verdict.accepted);
    return verdict.auth.signal;
  };
  const [token, short, other] = [service.token(), service.token({ expiresIn: 2 }), service.token()];
  const late = guard.check(token);
  assert.ok(late.accepted);
  const [first, second, third] = [signalOf(token), signalOf(short), signalOf(other)];
  assert.equal(signalOf(token), first, 'requests with one token share one');
  await service.revoke(token);
  assert.deepEqual([first.aborted, second.aborted, third.aborted], [true, false, false]);
  assert.equal(late.auth.signal.aborted, true, 'it was asked for after the sign-out');
  await once(second, 'abort', { signal: AbortSignal.timeout(5000) });
  assert.equal(third.aborted, false);
  await guard.stop();
  assert.equal(third.aborted, true);
});

test('a tenant’s guard accepts the tokens of that tenant only', async (t) => {
  const tenant = '0198f3a2-0000-7000-8000-000000000001';
  const service = await serviceIn(t, { tenant, leaseMs: shortLeaseMs });
  const way = await wayIn(t, service.issuer);
  const { guard, codeOf } = await guardIn(t, { issuer: service.issuer, url: way.url, key: service.key });
  const [own, other] = [service.token({ tenant }), service.token()];
  assert.deepEqual([await codeOf(own), await codeOf(other)], ['accepted', 'tenant_wrong']);
  way.isCut = true;
  await waitUntil('the guard', 'end its lease', 5000, () => !guard.state.current);
  const needs = { whenStale: 'ask' };
  assert.deepEqual([await codeOf(own, needs), await codeOf(other, needs)], ['accepted', 'tenant_wrong']);
  const { codeOf: codeOfLate } = await guardIn(t, {
    ...{ issuer: service.issuer, url: way.url, key: service.key, timeoutMs: 100 },
  });
  assert.equal(await codeOfLate(other, needs), 'verdict_unavailable', 'it does not know yet whose guard it is');
});

test('a token of an unknown key is refused by a current guard; one that is not current cannot know', async (t) => {
  const service = await serviceIn(t, { leaseMs: shortLeaseMs });
  const stranger = await serviceIn(t);
  const { guard, codeOf } = await guardIn(t, { issuer: service.issuer, key: service.key });
  const token = stranger.token();
  const ofUnknownKey = ((): string => {
    const [, payload, signature] = token.split('.');
    const header = Buffer.from('{"alg":"ES256","typ":"at+jwt","kid":"another"}').toString('base64url');
    return [header, payload, signature].join('.');
  })();
  assert.deepEqual([await codeOf(token), await codeOf(ofUnknownKey)], ['token_signature_invalid', 'token_key_unknown']);
  service.freeze();
  await waitUntil('the guard', 'end its lease', 5000, () => !guard.state.current);
  assert.equal(await codeOf(ofUnknownKey), 'verdict_unavailable');
});

test('settings that cannot work are errors at the start, and no message repeats the key', async (t) => {
  const issuer = 'http://127.0.0.1:1';
  await assert.rejects(createGuard({ issuer }), /guard-keys create.*'ask' needs none/);
  for (const more of [
    ...[{ key: 'with space' }, { key: 'k', mode: 'lax' }, { key: 'k', audience: '' }, { key: 'k', name: '' }],
    ...[
      { key: 'k', whenStale: 'allow' },
      { mode: 'ask', whenStale: 'allow' },
      { key: 'k', ifRefused: 'accept' },
    ],
  ])
    await assert.rejects(
      async () => {
        const { guard } = await guardIn(t, { issuer, timeoutMs: 1, ...more } as GuardOptions);
        await guard.stop();
      },
      (error: Error) => error instanceof TypeError && !error.message.includes('with space'),
    );
  const service = await serviceIn(t);
  const { guard } = await guardIn(t, { issuer: service.issuer, key: service.key });
  assert.throws(() => guard.needs({ whenStale: 'allow' }), /void/);
  assert.throws(() => guard.needs({ whenStale: 'later' as never }), /deny, ask, allow/);
});

test('a sign-out waits for a guard that has stopped no longer than it takes to leave', async (t) => {
  const service = await serviceIn(t, { leaseMs: 20_000 });
  const { guard } = await guardIn(t, { issuer: service.issuer, key: service.key });
  const token = service.token();
  await guard.stop();
  await Promise.race([
    service.revoke(token),
    delay(5000, undefined, { ref: false }).then(() => assert.fail('the sign-out waited for it')),
  ]);
});
