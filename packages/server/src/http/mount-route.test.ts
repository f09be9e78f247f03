import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CatalyticError } from '@catalytic/protocol/errors';
import { type ProblemFormat, type Route, route, streamRoute } from '../features/route.ts';
import { Type } from '../features/schema.ts';
import { AnswerCounts } from '../telemetry/answer-counts.ts';
import { openLog } from '../telemetry/log.ts';
import type { AuthenticateParts } from './authenticate.ts';
import { refusalAnswers } from './openapi/refusals.ts';
import { createHttpServer } from './server.ts';

/** Errors in the form of RFC 6749 section 5.2, as far as a test needs it. */
const shortErrors: ProblemFormat = {
  mediaType: 'application/json',
  bodyOf: ({ code, message }) => ({ error: code, error_description: message }),
  schemaOf: (codes) => ({ properties: { error: { enum: codes } } }),
};

const ownRoute = route({
  method: 'POST',
  path: '/own',
  summary: 'Refuses in another form',
  access: { kind: 'public' },
  body: Type.Object({}, { additionalProperties: false }),
  problemFormat: shortErrors,
  answers: {},
  handle: () => {
    throw new CatalyticError('tenant_unknown');
  },
});

/** Serves public routes, which need nothing that judges callers. */
const serve = async (t: TestContext, routes: readonly Route[]): Promise<string> => {
  const server = createHttpServer(
    {
      authentication: {} as AuthenticateParts,
      log: openLog('silent'),
      counts: new AnswerCounts(),
      keepAliveSeconds: 1,
      requestTimeoutMs: 5000,
      endWaits: () => {},
      maxConnections: 10,
      workerName: undefined,
      callers: { source: 'peer', isProxy: () => false },
    },
    routes,
  );
  t.after(() => server.close('quick'));
  return `http://127.0.0.1:${await server.listen({ host: '127.0.0.1', port: 0, backlog: 16 })}`;
};

const post = (url: string, type: string, body: string): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'content-type': type }, body });

test('every stage refuses in the form that the route names', async (t) => {
  const url = `${await serve(t, [ownRoute])}/own`;
  for (const [type, body, status, code] of [
    ['application/json', '{}', 400, 'tenant_unknown'],
    ['application/json', '{', 400, 'body_malformed'],
    ['application/json', '{"x":1}', 400, 'body_invalid'],
    ['text/plain', 'x', 415, 'content_type_unsupported'],
  ] as const) {
    const answer = await post(url, type, body);
    assert.deepEqual([answer.status, answer.headers.get('content-type')], [status, 'application/json; charset=utf-8']);
    assert.equal(((await answer.json()) as { error: string }).error, code);
  }
});

test('the description shows that form', () => {
  const { 413: answer } = refusalAnswers(ownRoute) as Readonly<Record<number, { readonly content: unknown }>>;
  assert.deepEqual(answer?.content, {
    'application/json': {
      schema: { properties: { error: { enum: ['body_too_large'] } } },
      examples: {
        body_too_large: {
          summary: 'The body is larger than this route accepts',
          value: {
            error: 'body_too_large',
            error_description: 'The body is larger than this route accepts',
          },
        },
      },
    },
  });
});

test('a stream of one media type is not taken by a route that reads another', async (t) => {
  const streaming = (path: string, mediaType: string): Route =>
    streamRoute({
      method: 'POST',
      path,
      summary: 'Reads a stream',
      access: { kind: 'public' },
      bodyFormat: { kind: 'stream', mediaType },
      answers: { 200: Type.Object({ bytes: Type.Integer() }) },
      handle: async ({ body }) => {
        let bytes = 0;
        for await (const chunk of body) bytes += (chunk as Buffer).length;
        return { status: 200, body: { bytes } };
      },
    });
  const url = await serve(t, [streaming('/lines', 'application/x-ndjson'), streaming('/table', 'text/csv')]);
  assert.equal(await (await post(`${url}/lines`, 'application/x-ndjson', 'x\n')).text(), '{"bytes":2}');
  assert.equal(await (await post(`${url}/table`, 'Text/CSV; charset=utf-8', 'x,y')).text(), '{"bytes":3}');
  for (const [path, type] of [
    ['/lines', 'text/csv'],
    ['/table', 'application/x-ndjson'],
    ['/table', 'application/json'],
  ])
    assert.equal((await post(`${url}${path}`, type ?? '', '{}')).status, 415, `${path} ${type}`);
});
