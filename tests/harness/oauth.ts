/**
 * Requests of OAuth clients, as the RFCs write them.
 * @module
 */
import { createHash } from 'node:crypto';
import { type Answer, request } from './client.ts';

/** The client id of a key, made without the service's code. */
export const clientIdOf = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 12);

/** HTTP Basic of a user name and a password that are already encoded. */
export const basic = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

/** The header of a key as a client. */
export const basicOf = (key: string): string => basic(clientIdOf(key), encodeURIComponent(key));

/** Posts a form. @param form fields, or the text as it is sent */
export const postForm = (
  url: string,
  form: Readonly<Record<string, string>> | string,
  authorization?: string,
): Promise<Answer> =>
  request(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(authorization === undefined ? {} : { authorization }),
    },
    body: typeof form === 'string' ? form : String(new URLSearchParams(form)),
  });
