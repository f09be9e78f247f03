/**
 * Checks that hold for every refusal.
 * @module
 */
import assert from 'node:assert/strict';
import { type ErrorCode, errorKind, errorTable } from '@catalytic/protocol/errors';
import type { Answer } from './client.ts';

const isCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(errorTable, code);

/** The answer is a problem of the error table (RFC 9457): code, status, media type, challenge and caching all agree. Returns its code. */
export const assertIsProblem = (answer: Answer, about = ''): ErrorCode => {
  const where = `${about} answered ${answer.status} ${answer.text.slice(0, 400)}`;
  const { code, status, title, type } = answer.body;
  assert.ok(isCode(code), `no code of the table: ${where}`);
  const kind = errorKind(code);
  assert.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8', where);
  assert.equal(answer.headers.get('cache-control'), 'no-store', where);
  assert.deepEqual([answer.status, status], [kind.status, kind.status], where);
  assert.deepEqual([title, type], [kind.title, `urn:catalytic:error:${code}`], where);
  const challenge = answer.headers.get('www-authenticate');
  if (kind.challenge === undefined) assert.equal(challenge, null, where);
  else if (kind.challenge === 'none') assert.equal(challenge, 'Bearer realm="catalytic"', where);
  else assert.match(String(challenge), new RegExp(`^Bearer realm="catalytic", error="${kind.challenge}", `), where);
  return code;
};

/** The answer is an error of OAuth with a code of the table beside it (RFC 6749 section 5.2). Returns the code. */
export const assertIsOauthError = (answer: Answer, about = ''): ErrorCode => {
  const where = `${about} answered ${answer.status} ${answer.text.slice(0, 400)}`;
  const { code, error } = answer.body;
  assert.ok(isCode(code), `no code of the table: ${where}`);
  assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8', where);
  assert.equal(answer.headers.get('cache-control'), 'no-store', where);
  assert.match(String(error), /^[a-z_]+$/, where);
  if (error === 'invalid_grant' || error === 'unauthorized_client') assert.equal(answer.status, 400, where);
  else assert.equal(answer.status, errorKind(code).status, where);
  assert.equal(
    answer.headers.get('www-authenticate'),
    answer.status === 401 ? 'Basic realm="catalytic", charset="UTF-8"' : null,
    where,
  );
  return code;
};

/** The answer is exactly this problem. */
export const assertProblem = (answer: Answer, code: ErrorCode, about = ''): void => {
  assert.equal(assertIsProblem(answer, about), code, `${about} answered ${answer.status} ${answer.text.slice(0, 400)}`);
};
