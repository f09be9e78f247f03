/**
 * `@catalytic/guard/testing`: a small service for the unit tests of an API, which issues tokens, revokes them, and can be frozen. It answers
 * `GET /auth/verify` as Catalytic does and nothing else. Never use it for anything but tests: it trusts whoever asks it.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bearerToken } from '../bearer-token.ts';
import { refuse, type TokenCode } from '../refusals.ts';

/** What a test says of a token; the rest has usual values. */
export interface TestToken {
  readonly subject?: string;
  readonly tenant?: string;
  readonly session?: string;
  readonly roles?: readonly string[];
  readonly scopes?: readonly string[];
  /** Seconds until it expires; negative: it has. @default 900 */
  readonly expiresIn?: number;
  /** Seconds since the password was checked. @default 0 */
  readonly signedInAgo?: number;
}

/** The service. */
export interface TestIssuer {
  /** Its URL, for `createGuard({ issuer })`. */
  readonly issuer: string;
  /** Issues a token. */
  token(token?: TestToken): string;
  /** Revokes a token, as a sign-out does. */
  revoke(token: string): void;
  /** From here on it answers nothing: an outage. */
  freeze(): void;
  /** Ends the outage. */
  thaw(): void;
  close(): Promise<void>;
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Starts the service on a free port of this machine. */
export const testIssuer = async (): Promise<TestIssuer> => {
  const alive = new Map<string, { readonly exp: number; readonly answer: object }>();
  const revoked = new Set<string>();
  let isFrozen = false;

  const refuseWith = (response: ServerResponse, code: TokenCode): void => {
    const { status, headers, body } = refuse(code);
    response.writeHead(status, headers).end(body);
  };
  const server = createServer((request, response) => {
    if (isFrozen) return;
    const token = bearerToken(request.headers.authorization);
    const known = token === undefined ? undefined : alive.get(token);
    if (token === undefined) refuseWith(response, 'token_missing');
    else if (revoked.has(token)) refuseWith(response, 'token_revoked');
    else if (known === undefined) refuseWith(response, 'token_signature_invalid');
    else if (known.exp <= Date.now() / 1000) refuseWith(response, 'token_expired');
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(known.answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    issuer,
    token: ({ subject, tenant, session, roles = [], scopes = [], expiresIn = 900, signedInAgo = 0 } = {}) => {
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        ...{
          iss: issuer,
          aud: issuer,
          sub: subject ?? randomUUID(),
          tid: tenant ?? randomUUID(),
          sid: session ?? randomUUID(),
        },
        ...{ jti: randomUUID(), iat: now, exp: now + expiresIn, client_id: 'test', amr: ['pwd'] },
        ...{ roles, scope: scopes.join(' '), auth_time: now - signedInAgo, aep: 0, tep: 0 },
      };
      const token = `${encode({ alg: 'none', typ: 'at+jwt' })}.${encode(claims)}.${encode({ test: true })}`;
      const { sub, tid, sid, jti, exp } = claims;
      alive.set(token, { exp, answer: { active: true, sub, tid, sid, jti, exp, roles } });
      return token;
    },
    revoke: (token) => void revoked.add(token),
    freeze: () => {
      isFrozen = true;
    },
    thaw: () => {
      isFrozen = false;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
