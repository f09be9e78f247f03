/**
 * Generated requests for every route: whatever is sent, the answer is an honest one. `SEED=…` repeats a run, `FUZZ_SECONDS=…` prolongs it.
 * @module
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { paths } from '@catalytic/protocol/paths';
import fc from 'fast-check';
import { readLabKey } from '../harness/accounts.ts';
import { type Answer, get, signUp } from '../harness/client.ts';
import { assertIsOauthError, assertIsProblem } from '../harness/problems.ts';
import { exchange, requestBytes } from '../harness/raw.ts';
import { seed } from '../harness/seed.ts';
import { serviceIn } from '../harness/service.ts';

const seconds = Number(process.env['FUZZ_SECONDS'] ?? 3);

const service = await serviceIn({ after }, { REQUEST_TIMEOUT_MS: 300, KEEP_ALIVE_SECONDS: 1, HASH_QUEUE_MS: 300 });
const { url, dataDir } = service;
const { access, refresh: refreshToken } = await signUp(url, 'fuzz@example.com');
const labKey = readLabKey(dataDir);

/** A request, as what it is made of: readable when it is printed as a counterexample. */
interface Draft {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly string[];
  readonly body: string | Uint8Array;
}

const oddTexts = [
  '',
  ' ',
  '\u0000',
  '\ud800',
  '\ufeff',
  '\u202e',
  'a@b',
  '__proto__',
  'constructor',
  "' or 1=1 --",
  '{{7*7}}',
  '../../x',
  'crt_',
  'default',
  'lab',
  'nine lanterns over the harbour',
  'ﷺ'.repeat(200),
  refreshToken,
  access.slice(0, 200),
];
const text = fc.oneof(fc.constantFrom(...oddTexts), fc.string({ unit: 'binary', maxLength: 40 }), fc.emailAddress());
const value = fc.oneof({ weight: 3, arbitrary: text }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 4 }) });
const fields = fc.dictionary(
  fc.oneof(
    fc.constantFrom('email', 'password', 'tenant', 'refresh_token', 'admin', '__proto__'),
    fc.string({ maxLength: 8 }),
  ),
  value,
  { maxKeys: 5 },
);
const login = fc.record({ email: text, password: text, tenant: value }, { requiredKeys: ['email', 'password'] });
const body = fc.oneof(
  { weight: 3, arbitrary: login.map((object) => JSON.stringify(object)) },
  { weight: 2, arbitrary: fields.map((object) => JSON.stringify(object)) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.record({ refresh_token: value }).map((object) => JSON.stringify(object)) },
  { weight: 1, arbitrary: fc.webQueryParameters() },
  { weight: 1, arbitrary: text.map((token) => String(new URLSearchParams({ token: token.toWellFormed() }))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  { weight: 1, arbitrary: fc.constant('') },
);

const knownPath = fc.constantFrom(...Object.values(paths));
const oddPath = fc.oneof(
  fc
    .tuple(knownPath, fc.nat(20), fc.string({ unit: 'binary', maxLength: 3 }))
    .map(([path, at, extra]) => path.slice(0, at) + extra + path.slice(at)),
  fc.tuple(knownPath, fc.webQueryParameters()).map(([path, query]) => `${path}?${query}`),
  fc.webPath().map((path) => `/${path}`),
  fc.string({ unit: 'binary', maxLength: 30 }),
);
// No HEAD: its answers announce a body that does not come. No CONNECT: it asks for a tunnel.
const method = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('GET', 'POST') },
  { weight: 1, arbitrary: fc.constantFrom('PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'X', '') },
);

const oddHeader = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        'Authorization',
        'Content-Type',
        'Host',
        'Content-Length',
        'Transfer-Encoding',
        'Expect',
        'Accept-Version',
        'X',
      ),
      fc.string({ unit: 'binary-ascii', maxLength: 20 }),
    )
    .map(([name, content]) => `${name}: ${content}`),
  fc.string({ unit: 'binary-ascii', maxLength: 30 }),
);
const authorization = fc
  .oneof(
    fc.constantFrom(
      ...[access, labKey, refreshToken].map((secret) => `Bearer ${secret}`),
      ...[`x:${labKey}`, ':', '%:%'].map((pair) => `Basic ${btoa(pair)}`),
    ),
    fc
      .tuple(fc.nat(access.length - 1), fc.constantFrom('', 'A', '.', '=', ' ', '\u00e4'))
      .map(([at, letter]) => `Bearer ${access.slice(0, at)}${letter}${access.slice(at + 1)}`),
    fc.string({ unit: 'binary-ascii', maxLength: 60 }).map((token) => `Bearer ${token}`),
  )
  .map((content) => `Authorization: ${content}`);
const contentType = fc.constantFrom(
  'Content-Type: application/json',
  'Content-Type: application/x-ndjson',
  'Content-Type: application/x-www-form-urlencoded',
  'Content-Type: text/plain',
);

const plainDraft: fc.Arbitrary<Draft> = fc.record({
  method,
  path: knownPath,
  headers: fc.tuple(
    fc.oneof(
      { weight: 5, arbitrary: fc.constant('Content-Type: application/json') },
      { weight: 1, arbitrary: contentType },
    ),
    fc.option(authorization, { nil: 'X: y' }),
  ),
  body,
});
const oddDraft: fc.Arbitrary<Draft> = fc.record({
  method,
  path: fc.oneof(knownPath, oddPath),
  headers: fc.array(fc.oneof(oddHeader, authorization, contentType), { maxLength: 5 }),
  body,
});

const send = async (draft: Draft): Promise<readonly Answer[]> => {
  try {
    return await exchange(url, requestBytes(draft.method, draft.path, draft.headers, Buffer.from(draft.body)));
  } catch (error) {
    // A server that refuses a head and closes may do so before we have sent the body: then there is nothing to read.
    if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') return [];
    throw error;
  }
};

const judge = (answer: Answer, draft: Draft): void => {
  const about = JSON.stringify(draft);
  assert.ok(answer.status >= 200 && answer.status < 600, about);
  if (answer.status < 400) return;
  // A route of OAuth, once it is found, has errors of its own form.
  const isOauth = answer.body['error'] !== undefined && draft.path.startsWith('/oauth/');
  const code = isOauth ? assertIsOauthError(answer, about) : assertIsProblem(answer, about);
  if (answer.status >= 500) assert.equal(code, 'hashing_busy', about);
  if (code === 'hashing_busy') assert.match(String(answer.headers.get('retry-after')), /^[1-9]\d*$/, about);
};

for (const [about, draft, perRun] of [
  ['requests of the right form with any content', plainDraft, 8],
  ['requests of any form', oddDraft, 24],
] as const)
  test(`${about} get an honest answer`, async (t) => {
    let sent = 0;
    const statuses = new Map<number, number>();
    t.diagnostic(`SEED=${seed}`);
    await fc.assert(
      fc.asyncProperty(fc.array(draft, { minLength: 1, maxLength: perRun }), async (drafts) => {
        await Promise.all(
          drafts.map(async (one) => {
            sent += 1;
            for (const answer of await send(one)) {
              statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
              judge(answer, one);
            }
          }),
        );
      }),
      {
        seed,
        numRuns: 1_000_000,
        interruptAfterTimeLimit: seconds * 1000,
        markInterruptAsFailure: false,
        endOnFailure: true,
      },
    );
    const counts = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
    t.diagnostic(`${sent} requests; ${counts.join(', ')}`);
    assert.ok(sent > 50 && statuses.size > 3, 'the requests reach different ends');
  });

test('after all of it the same process serves, and has logged no failure', async () => {
  assert.equal((await get(`${url}/health/ready`)).status, 200);
  assert.equal(service.process.exitCode, null);
  assert.ok(!/"level":"(error|fatal)"/.test(service.output()), service.output().slice(-2000));
});
