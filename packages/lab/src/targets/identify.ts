/**
 * Asks a service whether it is Catalytic, before it is trusted with an admin key.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { problemType } from '@catalytic/protocol/errors';
import { paths } from '@catalytic/protocol/paths';
import type { Connection, Reply } from './connection.ts';

/**
 * Longest wait for the answer, milliseconds: a service that is slower before it is loaded is not
 * told a secret.
 */
const answerMsMax = 5000;
/** How every version of Catalytic names its problems (RFC 9457 `type`). */
const problemTypes = problemType('');

const typeOf = (text: string): unknown => {
  try {
    return (JSON.parse(text) as { readonly type?: unknown } | null)?.type;
  } catch {
    return undefined;
  }
};

const judge = (reply: Reply | { readonly failure: string }): string | undefined => {
  if ('failure' in reply) return `did not answer: ${reply.failure}`;
  if (reply.status !== 401) return `answered ${reply.status}, and Catalytic answers 401`;
  const type = typeOf(reply.text);
  return typeof type === 'string' && type.startsWith(problemTypes)
    ? undefined
    : `answered 401 without a problem of Catalytic's ("type": "${problemTypes}…")`;
};

/**
 * Asks the admin route without a key. Every version of Catalytic refuses that with a problem whose
 * type names it.
 * @returns why the service may not be Catalytic; `undefined` when it says that it is
 */
export const doubtCatalytic = async (connection: Connection): Promise<string | undefined> => {
  const asked = new AbortController();
  const late = delay(
    answerMsMax,
    { failure: `nothing within ${answerMsMax / 1000} s` },
    { signal: asked.signal },
  ).catch(() => ({ failure: 'nothing' }));
  const reply = await Promise.race([connection.send({ method: 'GET', path: paths.accounts }), late]);
  asked.abort();
  const doubt = judge(reply);
  return doubt === undefined ? undefined : `GET ${paths.accounts} without a key ${doubt}`;
};
