/**
 * The lab beside guarded APIs: real guards before real services, and impostors.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { after, suite, type TestContext, test } from 'node:test';
import { createGuard } from '@catalytic/guard';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import type { GuardMode, GuardResult } from '../../packages/lab/src/results/guard-result.ts';
import type { RunResult } from '../../packages/lab/src/results/result.ts';
import { addGuardKey } from '../harness/guard-key.ts';
import { httpServerIn } from '../harness/http-server.ts';
import { runLab } from '../harness/lab.ts';
import { operateUrlOf } from '../harness/operate-url.ts';
import { folderIn, serviceIn } from '../harness/service.ts';

const folder = folderIn({ after });
const issuer = 'https://id.example';
const service = await serviceIn({ after }, { ISSUER: issuer });

const closed = ['--users', '6', '--spawn-rate', '100', '--duration', '4s', '--wait', '0.05-0.15'];
const open = ['--users', '6', '--duration', '3s', '--logouts-per-second', '5', '--sessions', '15'];

/** Runs the lab beside guarded APIs. */
const load = async (scenario: string, model: readonly string[], ...args: readonly string[]) => {
  const out = join(mkdtempSync(join(folder, 'run-')), 'result');
  const words = [
    ...['run', scenario, '--target', service.url, '--operate-target', operateUrlOf(service)],
    ...['--admin-key-file', join(service.dataDir, 'lab.key')],
  ];
  const ended = await runLab(folder, [...words, '--out', out, ...model, ...args]);
  assert.ok(existsSync(`${out}.json`), ended.output);
  const result = JSON.parse(readFileSync(`${out}.json`, 'utf8')) as RunResult;
  return { ...ended, result, apis: result.guards?.apis ?? [], markdown: readFileSync(`${out}.md`, 'utf8') };
};

/** An API behind a guard. */
const guardedApiIn = async (t: TestContext, mode: GuardMode): Promise<string> => {
  const audience = issuer;
  const guard = await createGuard({ mode, issuer, audience, url: service.url, key: addGuardKey(service.dataDir) });
  t.after(() => guard.stop());
  const handle = guard.node((_request, response) => response.end('notes'));
  return `${(await httpServerIn(t, (request, response) => void handle(request, response))).url}/notes`;
};

/** An API that believes every signature, and so accepts dead tokens until they expire. */
const believingApiIn = async (t: TestContext): Promise<string> => {
  const keys = createRemoteJWKSet(new URL(`${service.url}/.well-known/jwks.json`));
  const answer: RequestListener = (request, response) => {
    const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    const end = (status: number): void => void response.writeHead(status).end();
    jwtVerify(token, keys).then(
      () => end(200),
      () => end(401),
    );
  };
  return `${(await httpServerIn(t, answer)).url}/notes`;
};

/** The counts add up. */
const whole = ({ dead, live }: GuardResult): void => {
  for (const { tried, accepted, refused, unavailable, other } of [dead, live])
    assert.equal(tried, accepted + refused + unavailable + other);
};

suite('catalytic-lab run --guard', { concurrency: 2 }, () => {
  test('guards of every mode are innocent; APIs that believe signatures are found guilty, a following one only after its time', async (t) => {
    const [asking, waited, following] = [
      await guardedApiIn(t, 'ask'),
      await guardedApiIn(t, 'strict'),
      await guardedApiIn(t, 'follow'),
    ];
    const [strict, follow] = [await believingApiIn(t), await believingApiIn(t)];
    const named = [`ask=${asking}`, waited, `follow=${following}`, strict, `follow=${follow}`];
    const words = [...named.flatMap((each) => ['--guard', each]), '--guard-lease', '800ms'];
    const { code, output, result, apis, markdown } = await load('revocation', closed, ...words);
    assert.equal(code, 4, output);
    const innocents = apis.slice(0, 3);
    const [guilty = assert.fail(), late = assert.fail()] = apis.slice(3);
    // Its lease is longer than the one that the lab is told: on a busy machine it may be late by that measure.
    const followed = innocents[2]?.violations ?? assert.fail();
    for (const api of apis) {
      whole(api);
      assert.equal(api.live.refused, 0, output);
      assert.ok(api.live.accepted > 0 && api.dead.tried >= result.logouts.completed / 2, output);
    }
    assert.deepEqual(
      innocents.map(({ url, mode, violations }) => [url, mode, violations]),
      [
        [asking, 'ask', 0],
        [waited, 'strict', 0],
        [following, 'follow', followed],
      ],
    );
    for (const { first_refusal } of innocents) assert.ok(first_refusal.count > 0 && first_refusal.max_ms > 0, output);
    assert.ok(guilty.violations > 0 && guilty.violations === guilty.dead.accepted);
    assert.ok(late.violations > 0 && late.violations < late.dead.accepted, 'within 1.1 leases it may accept');
    assert.equal(guilty.first_refusal.count + late.first_refusal.count, 0);
    const { violations, timelines } = result.consistency;
    assert.equal(violations, guilty.violations + late.violations + followed, 'the service itself is innocent');
    const timeline = timelines.find(({ events }) => events.some(({ what }) => what.startsWith('strict guard')));
    assert.equal(timeline?.rule, 'accepted by a guard after promise');
    for (const said of [`strict guard ${strict} answered 200`, 'logout answered 200'])
      assert.ok(
        timeline?.events.some(({ what }) => what === said),
        said,
      );
    assert.match(output, /✔ ask guard http:\S+: \d+ requests with a dead token, 0 accepted/);
    assert.match(output, /✘ strict guard http:\S+: \d+ requests with a dead token, \d+ accepted/);
    assert.match(markdown, /## Guarded APIs[\s\S]*\| http:\S+ \| ask \|/);
  });

  test('in the open model live tokens are those of sessions that are signed out later', async (t) => {
    const url = await guardedApiIn(t, 'ask');
    const { code, output, apis } = await load('revocation', open, '--guard', `ask=${url}`);
    assert.notEqual(code, 4, output);
    const [api = assert.fail('no guard in the result')] = apis;
    // On a busy machine not every session is signed in.
    assert.ok(api.live.accepted > 0 && api.dead.refused > 0, JSON.stringify(api));
  });
});
