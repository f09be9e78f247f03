/**
 * better-auth behind `node:http`, SQLite in memory, one account signed in. Copied into a folder where the package is installed and run there.
 * Prints its address and the session's cookie as JSON.
 * @module
 */
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';

let handle;
const server = createServer((request, response) => handle(request, response));
server.listen(0, '127.0.0.1', async () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  const options = {
    database: new DatabaseSync(':memory:'),
    secret: 'forty letters that protect nothing at all',
    baseURL: url,
    emailAndPassword: { enabled: true },
    // What it does beside the answer is switched off: it must not be the slower for that.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
    session: { cookieCache: { enabled: process.argv[2] === 'cookie-cache', maxAge: 3600 } },
  };
  await (await getMigrations(options)).runMigrations();
  handle = toNodeHandler(betterAuth(options));
  const signedUp = await fetch(`${url}/api/auth/sign-up/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ name: 'Ada', email: 'ada@example.com', password: 'nine lanterns over the harbour' }),
  });
  if (signedUp.status !== 200) throw new Error(`Cannot sign up: ${signedUp.status} ${await signedUp.text()}`);
  const cookie = signedUp.headers
    .getSetCookie()
    .map((text) => text.split(';')[0])
    .join('; ');
  process.stdout.write(`${JSON.stringify({ url, cookie })}\n`);
});
