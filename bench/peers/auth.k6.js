// The lab's scenario `auth` for k6: the same tasks, weights, waits, and the same checks of each answer.
import { check, sleep } from 'k6';
import http from 'k6/http';

http.setResponseCallback(http.expectedStatuses(200, 401));

export const options = { vus: Number(__ENV.USERS), duration: `${__ENV.SECONDS}s`, thresholds: { checks: ['rate>=0'] } };

const origin = __ENV.TARGET;
let headers = {};
let isDead = false;
let isIn = false;

const logIn = () => {
  const body = JSON.stringify({ email: `vu-${__VU}@lab.example`, password: 'a comparison is not a secret' });
  const answer = http.post(`${origin}/auth/login`, body, { headers: { 'content-type': 'application/json' } });
  const token = answer.status === 200 ? answer.json('access_token') : undefined;
  check(answer, { 'login answers a token': () => typeof token === 'string' });
  if (typeof token !== 'string') return;
  headers = { authorization: `Bearer ${token}` };
  isDead = false;
  isIn = true;
};

const callProtected = () => {
  const answer = http.get(`${origin}/api/protected`, { headers });
  check(answer, {
    'a dead token is refused, a live one is not': ({ status }) =>
      isDead ? status === 401 && answer.json('code') === 'token_revoked' : status === 200,
  });
};

const logOut = () => {
  const answer = http.post(`${origin}/auth/logout`, null, { headers });
  const isComplete = answer.status === 200 && answer.json('propagation') === 'complete';
  check(answer, { 'logout is complete': () => isComplete || (isDead && answer.status === 401) });
  if (isComplete) isDead = true;
};

export default () => {
  const drawn = Math.random() * 16;
  if (!isIn || drawn < 5) logIn();
  else if (drawn < 15) callProtected();
  else logOut();
  sleep(1 + 2 * Math.random());
};
