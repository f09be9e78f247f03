/**
 * The promise in somebody else's process: a guard beside the real service.
 */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { createGuard, type GuardOptions } from '@catalytic/guard';
import { decodeProtectedHeader } from 'jose';
import { addAdminKey } from '../harness/admin-key.ts';
import { logOut, post, remove, signIn, signUp } from '../harness/client.ts';
import { freePort, type Service, serviceIn, startService } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

const email = 'guarded@example.com';
const signOuts = 10;

/** The issuer names the port, so a restarted service must have the same. */
const settings = { PORT: await freePort(), REVOCATION_LEASE_MS: 2000 };
let service: Service = await serviceIn({ after }, settings);
const admin = addAdminKey(service.dataDir, ['accounts:write', 'guard-keys:write', 'signing-keys:write']);
after(async () => void (await service.end('SIGKILL')));

suite('guards beside the service', () => {
  let key = '';

  const guardIn = async (t: { after(clean: () => Promise<void>): void }, options: Partial<GuardOptions> = {}) => {
    const problems: string[] = [];
    const guard = await createGuard({
      ...{ issuer: service.url, key, timeoutMs: 10_000, onProblem: (message: string) => problems.push(message) },
      ...options,
    });
    t.after(() => guard.stop());
    const codeOf = (token: string): string => {
      const verdict = guard.check(token);
      return verdict.accepted ? 'accepted' : verdict.refusal.code;
    };
    return { guard, problems, codeOf };
  };

  /** Acts as an administrator. */
  const administer = async (path: string, body: object = {}): Promise<Readonly<Record<string, unknown>>> => {
    const answer = await post(`${service.url}/admin/${path}`, body, admin);
    assert.ok(answer.status < 300, answer.text);
    return answer.body;
  };
  const newKey = async (limits: object = {}): Promise<{ readonly key: string; readonly id: string }> =>
    (await administer('guard-keys', limits)) as { key: string; id: string };

  before(async () => {
    ({ key } = await newKey());
    await signUp(service.url, email);
  });

  for (const mode of ['strict', 'follow'] as const)
    test(`in mode ${mode} a token is accepted until its sign-out`, async (t) => {
      const { guard, codeOf } = await guardIn(t, { mode });
      assert.deepEqual([guard.state.current, guard.state.registered], [true, mode === 'strict']);
      for (let count = 0; count < signOuts; count++) {
        const { access } = await signIn(service.url, email);
        assert.equal(codeOf(access), 'accepted');
        const { status, text } = await logOut(service.url, access);
        assert.equal(status, 200, text);
        if (mode === 'follow')
          await waitUntil('the guard', 'hear of the sign-out', 2000, () => codeOf(access) !== 'accepted');
        assert.equal(codeOf(access), 'token_revoked');
      }
    });

  test('a role that was taken away, and everything else that ends tokens, is true in the guard at once', async (t) => {
    const { guard, codeOf } = await guardIn(t);
    const { access } = await signIn(service.url, email);
    const verdict = guard.check(access);
    assert.ok(verdict.accepted);
    const { signal, subject } = verdict.auth;
    await administer(`accounts/${subject}/roles`, { roles: ['editor'] });
    assert.deepEqual([codeOf(access), signal.aborted], ['token_outdated', true]);
    const { access: next } = await signIn(service.url, email);
    assert.equal(codeOf(next), 'accepted');
    const everywhere = await post(`${service.url}/auth/logout-all`, undefined, next);
    assert.equal(everywhere.status, 200, everywhere.text);
    assert.equal(codeOf(next), 'token_revoked');
  });

  test('a sign-out does not wait for a guard that has stopped', async (t) => {
    const { guard } = await guardIn(t);
    const { access } = await signIn(service.url, email);
    await guard.stop();
    const beganMs = performance.now();
    assert.equal((await logOut(service.url, access)).status, 200);
    assert.ok(performance.now() - beganMs < 1500);
  });

  test('the guard of a tenant accepts its tokens only', async (t) => {
    const { codeOf } = await guardIn(t, { key: (await newKey({ tenant: 'lab' })).key });
    const { access } = await signIn(service.url, email);
    assert.equal(codeOf(access), 'tenant_wrong');
  });

  test('another key that signs is known before its first token arrives', async (t) => {
    const { codeOf } = await guardIn(t);
    const { access } = await signIn(service.url, email);
    const { kid } = decodeProtectedHeader(access);
    await administer(`signing-keys/${kid}/kill`);
    assert.equal(codeOf(access), 'token_revoked');
    let next = '';
    await waitUntil('the service', 'make another key', 10_000, async () => {
      next = await signIn(service.url, email).then(
        ({ access: token }) => token,
        () => '',
      );
      return next !== '';
    });
    await waitUntil('the guard', 'fetch the keys', 5000, () => codeOf(next) === 'accepted');
  });

  test('while the service restarts a guard accepts for the rest of its lease, and what was revoked stays revoked', async (t) => {
    const { guard, codeOf } = await guardIn(t);
    const [{ access: live }, { access: dead }] = [await signIn(service.url, email), await signIn(service.url, email)];
    assert.equal((await logOut(service.url, dead)).status, 200);
    await service.end('SIGKILL');
    assert.deepEqual([codeOf(live), codeOf(dead)], ['accepted', 'token_revoked']);
    service = await startService(service.dataDir, settings);
    const isAgain = (): boolean => guard.state.current && guard.state.staleMs < 1000;
    await waitUntil('the guard', 'be current again', 20_000, isAgain);
    assert.deepEqual([codeOf(live), codeOf(dead)], ['accepted', 'token_revoked']);
    assert.equal((await logOut(service.url, live)).status, 200);
    assert.equal(codeOf(live), 'token_revoked');
  });

  // The last one: the row of its guard stays until the service has evicted it.
  test('a key that is revoked ends the guard, which says so once', async (t) => {
    const revoked = await newKey();
    const { guard, problems } = await guardIn(t, { key: revoked.key });
    assert.equal(guard.state.current, true);
    assert.equal((await remove(`${service.url}/admin/guard-keys/${revoked.id}`, admin)).status, 200);
    await waitUntil('the guard', 'end', 15_000, () => !guard.state.current);
    await waitUntil('the guard', 'say so', 15_000, () => problems.length > 0);
    assert.match(problems.join(), /guard_key_invalid/);
  });
});
