/**
 * better-auth behind `node:http`, SQLite in memory, one account signed in. It is copied into a folder where the package is installed and run
 * there, so it speaks the protocol of `bench/harness/child.ts` by itself: asked to `serve`, it answers with its URL and the session's cookie.
 * @module
 */
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';

const serve = async ({ hasCookieCache }) => {
  let handle;
  const server = createServer((request, response) => handle(request, response));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  const options = {
    database: new DatabaseSync(':memory:'),
    secret: 'forty letters that protect nothing at all',
    baseURL: url,
    emailAndPassword: { enabled: true },
    // All that it does beside the answer is switched off, so that none of it counts against it.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
    session: { cookieCache: { enabled: hasCookieCache, maxAge: 3600 } },
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
  return { url, cookie };
};

process.once('message', ({ argument }) =>
  serve(argument).then(
    (result) => process.send({ result }),
    (error) => process.send({ error: String(error) }),
  ),
);
process.once('disconnect', () => process.exit());
