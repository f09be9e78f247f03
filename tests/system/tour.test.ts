import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { get, goodPassword, post, signUp } from '../harness/client.ts';
import { removeFolder, type Service, startService, temporaryFolder } from '../harness/service.ts';

const dataDir = temporaryFolder();
let service: Service;

before(async () => {
  service = await startService(dataDir);
});
after(async () => {
  await service.end();
  removeFolder(dataDir);
});

test('a token is dead when its logout has answered 200, and its session cannot be refreshed', async () => {
  const { access, refresh } = await signUp(service.url, 'ada@example.com', goodPassword);
  assert.equal((await get(`${service.url}/api/protected`, access)).status, 200);
  const loggedOut = await post(`${service.url}/auth/logout`, undefined, access);
  assert.deepEqual([loggedOut.status, loggedOut.body], [200, { revoked: true, propagation: 'complete' }]);
  const refused = await get(`${service.url}/api/protected`, access);
  assert.deepEqual([refused.status, refused.body['code']], [401, 'token_revoked']);
  const dead = await post(`${service.url}/auth/refresh`, { refresh_token: refresh });
  assert.deepEqual([dead.status, dead.body['code']], [401, 'session_ended']);
});
