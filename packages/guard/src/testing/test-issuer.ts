/**
 * `@catalytic/guard/testing`: a small service for the unit tests of an API, which issues tokens, signs people out, and can be frozen. It
 * answers guards of every mode as Catalytic does, and nothing else. Never use it for anything but tests: it trusts whoever asks it.
 * @module
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AccessTokenClaims } from '@catalytic/protocol/claims';
import { paths } from '@catalytic/protocol/paths';
import { signBytes } from '../algorithms.ts';
import { bearerToken } from '../bearer-token.ts';
import { refuse, type TokenCode } from '../refusals.ts';
import { encodedHeader } from '../verification-key.ts';
import { TestJournal } from './test-journal.ts';

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

/** Settings of the service. */
export interface TestIssuerOptions {
  /**
   * How long guards in the modes `strict` and `follow` accept tokens without it, milliseconds. @default 2000, the shortest that Catalytic
   * itself gives
   */
  readonly leaseMs?: number;
  /** Serves guards as it does with the key of this tenant: they accept its tokens only. */
  readonly tenant?: string;
}

/** The service. */
export interface TestIssuer {
  /** Its URL, for `createGuard({ issuer })`. */
  readonly issuer: string;
  /** A guard key: it takes every one. */
  readonly key: string;
  /** Issues a token. */
  token(token?: TestToken): string;
  /**
   * Ends the session of a token, as a sign-out does.
   * @returns resolves when every guard that follows has applied it, or its lease is over
   */
  revoke(token: string): Promise<void>;
  /** From here on it answers nothing: an outage. A guard in the modes `strict` and `follow` accepts for the rest of its lease. */
  freeze(): void;
  /** Ends the outage. */
  thaw(): void;
  close(): Promise<void>;
}

const json = { 'content-type': 'application/json' };
const keyId = 'test';

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The claims that a test asks for. */
const claimsOf = (issuer: string, token: TestToken): AccessTokenClaims => {
  const { subject, tenant, session, roles = [], scopes = [], expiresIn = 900, signedInAgo = 0 } = token;
  const now = Math.floor(Date.now() / 1000);
  const ids = { sub: subject ?? randomUUID(), tid: tenant ?? randomUUID(), sid: session ?? randomUUID() };
  return {
    ...{ iss: issuer, aud: issuer, ...ids, jti: randomUUID(), iat: Math.min(now, now + expiresIn - 1) },
    ...{ exp: now + expiresIn, client_id: 'test', amr: ['pwd'], roles, scope: scopes.join(' ') },
    ...{ auth_time: now - signedInAgo, aep: 0, tep: 0 },
  } as unknown as AccessTokenClaims;
};

const readJson = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString('utf8'));
};

/** Starts the service on a free port of this machine. */
export const testIssuer = async ({ leaseMs = 2000, tenant }: TestIssuerOptions = {}): Promise<TestIssuer> => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issued = new Map<string, AccessTokenClaims>();
  const journal = new TestJournal(leaseMs, tenant);
  let isFrozen = false;

  const answer = (response: ServerResponse, status: number, body: unknown): void => {
    // It may have been frozen while it held the request.
    if (!isFrozen && !response.destroyed) response.writeHead(status, json).end(JSON.stringify(body));
  };
  const codeOf = (token: string | undefined): TokenCode | AccessTokenClaims => {
    const claims = token === undefined ? undefined : issued.get(token);
    if (token === undefined) return 'token_missing';
    if (claims === undefined) return 'token_signature_invalid';
    if (journal.hasEnded(claims.sid)) return 'token_revoked';
    return claims.exp <= Date.now() / 1000 ? 'token_expired' : claims;
  };
  const verify = (request: IncomingMessage, response: ServerResponse): void => {
    const found = codeOf(bearerToken(request.headers.authorization));
    if (typeof found === 'string') {
      const { status, headers, body } = refuse(found);
      response.writeHead(status, headers).end(body);
      return;
    }
    const { sub, tid, sid, jti, exp, roles } = found;
    answer(response, 200, { active: true, sub, tid, sid, jti, exp, roles });
  };
  const server = createServer(async (request, response) => {
    if (isFrozen) return;
    const { method, url = '', socket } = request;
    if (url === paths.verify) return verify(request, response);
    if (url === paths.jwks)
      return answer(response, 200, {
        keys: [{ ...publicKey.export({ format: 'jwk' }), kid: keyId, alg: 'ES256', use: 'sig' }],
      });
    const body = await readJson(request);
    if (url === paths.revocations) return journal.poll(body, socket, (status, page) => answer(response, status, page));
    if (url === paths.guards) return answer(response, 201, journal.register());
    if (method === 'DELETE') journal.leave(url.slice(url.lastIndexOf('/') + 1));
    response.writeHead(method === 'DELETE' ? 204 : 404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    issuer,
    key: 'test-key',
    token: (token = {}) => {
      const claims = claimsOf(issuer, token);
      const signed = `${encodedHeader('ES256', keyId)}.${encode(claims)}`;
      const text = `${signed}.${signBytes('ES256', privateKey, Buffer.from(signed)).toString('base64url')}`;
      issued.set(text, claims);
      return text;
    },
    revoke: async (token) => {
      const claims = issued.get(token);
      if (claims !== undefined) await journal.end(claims.sid);
    },
    freeze: () => {
      isFrozen = true;
    },
    thaw: () => {
      isFrozen = false;
    },
    close: () =>
      new Promise((resolve) => {
        journal.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
