/**
 * A plain client of the service's API, written without its code.
 * @module
 */

/** An answer, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; an empty object when it is none. */
  readonly body: Record<string, unknown>;
}

/** Tokens of a sign-in. */
export interface Tokens {
  readonly access: string;
  readonly refresh: string;
  readonly session: string;
}

/** A password that the policy accepts. */
export const goodPassword = 'nine lanterns over the harbour';

const read = async (response: Response): Promise<Answer> => {
  const text = await response.text();
  let body: Record<string, unknown> = {};
  try {
    body = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Not every answer has a JSON body; the test looks at `text` then.
  }
  return { status: response.status, headers: response.headers, text, body };
};

/** Sends any request; the answer is read whole. */
export const request = async (url: string, init: RequestInit): Promise<Answer> => read(await fetch(url, init));

/** Posts JSON. */
export const post = async (url: string, body?: unknown, token?: string): Promise<Answer> =>
  read(
    await fetch(url, {
      method: 'POST',
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );

/** Gets, with a token if there is one. */
export const get = async (url: string, token?: string): Promise<Answer> =>
  read(await fetch(url, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } }));

/** Deletes, with a token. */
export const remove = async (url: string, token: string): Promise<Answer> =>
  read(await fetch(url, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } }));

/** Takes the tokens out of an answer to a login or a refresh. */
export const tokensOf = ({ body, status, text }: Answer): Tokens => {
  if (status !== 200) throw new Error(`No tokens in this answer: ${status} ${text}`);
  return {
    access: String(body['access_token']),
    refresh: String(body['refresh_token']),
    session: String(body['session_id']),
  };
};

/** Registers an account and signs it in. */
export const signUp = async (url: string, email: string, password = goodPassword): Promise<Tokens> => {
  const registered = await post(`${url}/auth/register`, { email, password });
  if (registered.status !== 201) throw new Error(`Cannot register: ${registered.status} ${registered.text}`);
  return signIn(url, email, password);
};

/** Signs an account in. */
export const signIn = async (url: string, email: string, password = goodPassword, tenant?: string): Promise<Tokens> =>
  tokensOf(await post(`${url}/auth/login`, { email, password, ...(tenant === undefined ? {} : { tenant }) }));

/** Trades a refresh token. */
export const refresh = (url: string, refreshToken: string): Promise<Answer> =>
  post(`${url}/auth/refresh`, { refresh_token: refreshToken });

/** Signs a session out. */
export const logOut = (url: string, access: string): Promise<Answer> => post(`${url}/auth/logout`, undefined, access);
