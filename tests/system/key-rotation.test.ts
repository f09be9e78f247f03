import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { get, signIn, signUp } from '../harness/client.ts';
import { runCatalytic, serviceIn } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

const kidsAt = async (url: string): Promise<readonly string[]> => {
  const { body } = await get(`${url}/.well-known/jwks.json`);
  return (body['keys'] as readonly { readonly kid: string }[]).map(({ kid }) => kid);
};

test('a rotated key is published long before it signs, and the command says from when on it does', async (t) => {
  const { url, dataDir } = await serviceIn(t);
  const { access } = await signUp(url, 'rotating@example.com');
  const before = Date.now();
  const { stdout } = await runCatalytic(['keys', 'rotate', '--json'], { DATA_DIR: dataDir });
  const { kid, 'signs from': signsFrom } = JSON.parse(stdout) as Readonly<Record<string, string>>;
  // Caches that do not ask for an unknown key are renewed after 15 or 20 minutes, those of gateways after two hours.
  assert.ok(Date.parse(String(signsFrom)) - before >= 2.5 * 3_600_000, stdout);
  await waitUntil('the service', 'publish the new key', 5000, async () => (await kidsAt(url)).includes(String(kid)));
  const { access: later } = await signIn(url, 'rotating@example.com');
  assert.equal(decodeProtectedHeader(later).kid, decodeProtectedHeader(access).kid, 'the key before it signs on');
});

test('the lead can be chosen, down to twice the time for which the keys may be cached', async (t) => {
  const { dataDir } = await serviceIn(t);
  const rotate = (seconds: number) =>
    runCatalytic(['keys', 'rotate', '--signing-key-lead-seconds', String(seconds)], { DATA_DIR: dataDir });
  const { stdout } = await rotate(130);
  assert.match(stdout, /signs from \d{4}-\S+Z, 130 seconds from now\./);
  const { code, stderr } = await rotate(129);
  assert.equal(code, 2);
  assert.match(stderr, /SIGNING_KEY_LEAD_SECONDS/);
});

for (const algorithm of ['EdDSA', 'Ed25519'])
  test(`a key of ${algorithm} signs under that name, and not under its other one`, async (t) => {
    const { url } = await serviceIn(t, { SIGNING_ALGORITHM: algorithm });
    const { access } = await signUp(url, 'edwards@example.com');
    assert.equal(decodeProtectedHeader(access).alg, algorithm);
    const keys = createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`));
    await jwtVerify(access, keys, { algorithms: [algorithm], typ: 'at+jwt' });
    const [header = '', ...rest] = access.split('.');
    const other = { ...decodeProtectedHeader(access), alg: algorithm === 'EdDSA' ? 'Ed25519' : 'EdDSA' };
    const renamed = Buffer.from(JSON.stringify(other)).toString('base64url');
    assert.notEqual(renamed, header);
    const { status, body } = await get(`${url}/auth/verify`, [renamed, ...rest].join('.'));
    assert.deepEqual([status, body['code']], [401, 'token_algorithm_refused']);
  });
