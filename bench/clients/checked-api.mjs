// One Express route behind one way to check access tokens. Prints its port, then serves until it is ended.
import { createPublicKey } from 'node:crypto';
import express from 'express';

const { WAY: way = '', ISSUER: issuer = '', AUDIENCE: audience = '', KEY: key = '' } = process.env;
const jwksUri = `${issuer}/.well-known/jwks.json`;

const bearerOf = (request) => (request.headers.authorization ?? '').replace(/^Bearer /, '');

/** Middleware that checks a token by a promise of its claims. */
const checking = (check) => (request, response, next) => {
  check(bearerOf(request)).then(
    (claims) => {
      request.auth = claims;
      next();
    },
    () => response.sendStatus(401),
  );
};

const ways = {
  none: async () => (_request, _response, next) => next(),
  strict: async () => guardIn('strict'),
  follow: async () => guardIn('follow'),
  ask: async () => guardIn('ask'),
  jose: async () => {
    const { createRemoteJWKSet, jwtVerify } = await import('jose');
    const keys = createRemoteJWKSet(new URL(jwksUri));
    return checking(async (token) => (await jwtVerify(token, keys, { issuer, audience })).payload);
  },
  'fast-jwt': async () => {
    const { createVerifier } = await import('fast-jwt');
    const { keys } = await (await fetch(jwksUri)).json();
    const pem = createPublicKey({ key: keys[0], format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    const verify = createVerifier({ key: pem, cache: 10_000, allowedIss: issuer, allowedAud: audience });
    return checking(async (token) => verify(token));
  },
  'express-oauth2-jwt-bearer': async () => {
    const { auth } = await import('express-oauth2-jwt-bearer');
    return auth({ jwksUri, issuer, audience, tokenSigningAlg: process.env.ALGORITHM });
  },
};

const guardIn = async (mode) => {
  const { createGuard } = await import('@catalytic/guard');
  const onProblem = (problem) => process.stderr.write(`${mode}: ${problem}\n`);
  const guard = await createGuard({ issuer, audience, mode, onProblem, ...(mode === 'ask' ? {} : { key }) });
  return guard.express();
};

const app = express();
app.use(await ways[way]());
app.get('/', (request, response) => void response.json({ subject: request.auth?.subject ?? null }));
app.use((error, _request, response, _next) => response.sendStatus(error.status ?? 500));
const server = app.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
