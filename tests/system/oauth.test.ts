import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Answer, get, logOut, refresh, request, signUp } from '../harness/client.ts';
import { serviceIn } from '../harness/service.ts';

const { url } = await serviceIn({ after });

const ask = (body: string, type = 'application/x-www-form-urlencoded'): Promise<Answer> =>
  request(`${url}/oauth/token`, { method: 'POST', headers: { 'content-type': type }, body });
const grant = (token: string): Promise<Answer> => ask(`grant_type=refresh_token&refresh_token=${token}&client_id=app`);

test('the metadata promises what is there, and names every member that has a default', async () => {
  const { body } = await get(`${url}/.well-known/oauth-authorization-server`);
  const issuer = String(body['issuer']);
  assert.deepEqual(body, {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    token_endpoint: `${issuer}/oauth/token`,
    token_endpoint_auth_methods_supported: ['none'],
    grant_types_supported: ['refresh_token'],
    response_types_supported: ['none'],
    introspection_endpoint: `${issuer}/oauth/introspect`,
    introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    revocation_endpoint: `${issuer}/oauth/revoke`,
    revocation_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
  });
  for (const value of Object.values(body)) assert.notDeepEqual(value, [], 'a list without elements is to be left out');
});

test('a refresh token is traded for the next pair, and is the same one at both routes', async () => {
  const { refresh: first } = await signUp(url, 'oauth@example.com');
  const { status, body, headers } = await grant(first);
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual([body['token_type'], body['expires_in'], headers.get('cache-control')], ['Bearer', 900, 'no-store']);
  const second = String(body['refresh_token']);
  assert.equal((await get(`${url}/auth/verify`, String(body['access_token']))).status, 200);
  const { body: third } = await refresh(url, second);
  assert.equal((await grant(String(third['refresh_token']))).status, 200);
});

test('a refusal has the form and the status of OAuth, and our code beside', async () => {
  const { access, refresh: ended } = await signUp(url, 'ended@example.com');
  await logOut(url, access);
  for (const [answer, status, error, code] of [
    [await grant(ended), 400, 'invalid_grant', 'session_ended'],
    [await grant('crt_x'), 400, 'invalid_grant', 'refresh_invalid'],
    [await ask('grant_type=password&username=a&password=b'), 400, 'unsupported_grant_type', 'grant_unsupported'],
    [await ask('grant_type=refresh_token'), 400, 'invalid_request', 'body_invalid'],
    [await ask(''), 400, 'invalid_request', 'body_invalid'],
    [await ask('grant_type=refresh_token&refresh_token=a&refresh_token=b'), 400, 'invalid_request', 'body_malformed'],
    [
      await ask('{"grant_type":"refresh_token"}', 'application/json'),
      415,
      'invalid_request',
      'content_type_unsupported',
    ],
  ] as const) {
    assert.deepEqual([answer.status, answer.body['error'], answer.body['code']], [status, error, code], answer.text);
    assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8');
    assert.equal(answer.headers.get('www-authenticate'), null, 'no challenge without a 401');
  }
});
