/**
 * The page at `/`: name, version, and links to routes of the same listener only.
 * @module
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { browserIn, needsBrowser, type TestBrowser } from '../harness/browser.ts';
import { type Answer, get, request } from '../harness/client.ts';
import { operateUrlOf } from '../harness/operate-url.ts';
import { scopeOfSuite } from '../harness/scope.ts';
import { type Service, serviceIn } from '../harness/service.ts';

const { version } = JSON.parse(
  readFileSync(new URL('../../packages/server/package.json', import.meta.url), 'utf8'),
) as { readonly version: string };

const asJson = (url: string): Promise<Answer> => request(url, { headers: { accept: 'application/json' } });

/** The places that the page leads to. */
const linksOf = ({ text }: Answer): string[] => [...text.matchAll(/<a href="([^"]*)"/g)].map(([, link = '']) => link);

suite('the page at /', needsBrowser(), () => {
  const scope = scopeOfSuite({ after });
  let service: Service;
  let browser: TestBrowser;
  before(async () => {
    service = await serviceIn(scope, { OPERATE_PORT: 0 });
    browser = await browserIn(scope);
  });

  test('names the software and its version, and every place that it names answers', async () => {
    const page = await get(`${service.url}/`);
    assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.match(page.text, new RegExp(`Catalytic[\\s\\S]*Version ${RegExp.escape(version)}<`));
    assert.doesNotMatch(page.text, /fastify|node/i, 'the page does not name the framework');
    const json = await asJson(`${service.url}/`);
    assert.deepEqual([json.body['name'], json.body['version']], ['Catalytic', version]);
    const links = linksOf(page);
    assert.deepEqual(links, [
      'docs',
      'openapi.json',
      '.well-known/jwks.json',
      '.well-known/oauth-authorization-server',
      'health/ready',
    ]);
    assert.deepEqual(Object.values(json.body['links'] as object), links);
    for (const link of links) assert.equal((await get(new URL(link, `${service.url}/`).href)).status, 200, link);
  });

  test('the listener for operators leads to its own places only', async () => {
    assert.deepEqual(linksOf(await get(`${operateUrlOf(service)}/`)), ['docs', 'openapi.json', 'health/ready']);
  });

  test('shows itself in a browser under a policy that allows nothing else, and leads to the documentation', async () => {
    const { headers } = await get(`${service.url}/`);
    const policy = headers.get('content-security-policy') ?? '';
    for (const rule of ["default-src 'none'", "style-src 'sha256-", "form-action 'none'", "frame-ancestors 'none'"])
      assert.ok(policy.includes(rule), rule);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    const opened = await browser.open({ origin: service.url, viewport: { width: 390, height: 844 } });
    const { page, strayRequests, complaints } = opened;
    await page.goto(`${service.url}/`);
    assert.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0, 'it fits on a phone');
    assert.equal(await page.evaluate("getComputedStyle(document.querySelector('a')).display"), 'block', 'it has style');
    await page.getByRole('link', { name: 'Documentation' }).click();
    await page.locator('#getApiProtected').waitFor();
    assert.deepEqual(strayRequests, []);
    assert.deepEqual(complaints, []);
  });
});

test('with DOCS=0 it does not lead to documentation that is not there', async (t) => {
  const { url } = await serviceIn(t, { DOCS: 0 });
  const page = await get(`${url}/`);
  assert.equal(page.status, 200);
  assert.doesNotMatch(page.text, /docs|openapi/i);
  assert.deepEqual(Object.keys((await asJson(`${url}/`)).body['links'] as object), ['jwks', 'metadata', 'ready']);
});
