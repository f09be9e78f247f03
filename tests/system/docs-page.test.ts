/**
 * The interactive page in a real browser, which may send requests to the service only.
 * @module
 */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { browserIn, needsBrowser, type TestBrowser } from '../harness/browser.ts';
import { get, goodPassword, post } from '../harness/client.ts';
import { addGuardKey } from '../harness/guard-key.ts';
import { clientIdOf } from '../harness/oauth.ts';
import { scopeOfSuite } from '../harness/scope.ts';
import { type Service, serviceIn } from '../harness/service.ts';

const email = 'reader@example.com';

suite('the page of the API', needsBrowser(), () => {
  const scope = scopeOfSuite({ after });
  let service: Service;
  let browser: TestBrowser;
  before(async () => {
    service = await serviceIn(scope);
    browser = await browserIn(scope);
    await post(`${service.url}/auth/register`, { email, password: goodPassword });
  });

  const openPage = async (options = {}) => {
    const opened = await browser.open({
      origin: service.url,
      expectedStatuses: [401],
      viewport: { width: 1280, height: 900 },
      ...options,
    });
    await opened.page.goto(`${service.url}/docs`);
    await opened.page.locator('#getApiProtected').waitFor();
    return opened;
  };

  /** Sends the request of an operation and waits for what it shows. */
  const send = async (page: Page, operationId: string): Promise<Locator> => {
    const section = page.locator(`#${operationId}`);
    await section.getByRole('button', { name: 'Send' }).click();
    await section.locator('.answer .status').waitFor();
    return section;
  };

  const signIn = async (page: Page): Promise<Locator> => {
    const form = page.locator('#postAuthLogin');
    await form.getByLabel('email').fill(email);
    await form.getByLabel('password', { exact: false }).first().fill(goodPassword);
    return send(page, 'postAuthLogin');
  };

  test('signs in, uses the token, signs out and sees the token refused, all on the page and offline', async () => {
    const { page, strayRequests, complaints } = await openPage();
    const bar = page.locator('#session');
    assert.match(await bar.innerText(), /Not signed in/);

    const login = await signIn(page);
    assert.match(await login.locator('.note').innerText(), /This access token is used from now on/);
    assert.match(await bar.innerText(), /expires in 1[45]:\d\d/);
    await bar.getByRole('button', { name: 'Claims' }).click();
    assert.match(await page.locator('#claims').innerText(), /client_id\s+catalytic/);
    await page.keyboard.press('Escape');
    assert.ok(await page.locator('#claims').isHidden());

    const allowed = await send(page, 'getApiProtected');
    assert.match(await allowed.locator('.answer').innerText(), /200 OK[\s\S]*You are signed in/);

    const ended = await send(page, 'postAuthLogout');
    assert.match(await ended.locator('.answer').innerText(), /200 OK[\s\S]*Signed out[\s\S]*"propagation": "complete"/);
    assert.match(await bar.innerText(), /revoked/);

    const refused = page.locator('#getApiProtected');
    await refused.getByRole('button', { name: 'Send' }).click();
    await refused.locator('.status.refused').waitFor();
    assert.match(await refused.locator('.answer').innerText(), /401 Unauthorized[\s\S]*token_revoked/);
    await refused.locator('.answer .note a').click();
    assert.match(await page.locator(':target').innerText(), /The access token has been revoked/);

    assert.deepEqual(strayRequests, [], 'no request goes elsewhere');
    assert.deepEqual(complaints, []);
  });

  test('keeps the token in memory only, and shows it on no command', async () => {
    const { page, complaints } = await openPage();
    await signIn(page);
    const kept = await page.evaluate(
      'JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])',
    );
    assert.doesNotMatch(String(kept), /eyJ|crt_/);
    const command = await page.locator('#getApiProtected .command').innerText();
    assert.match(command, /authorization: Bearer eyJ[^ ]{1,12}…/);
    assert.match(await page.locator('#postAuthLogin .command').innerText(), /"password":"••••••••"/);
    const key = addGuardKey(service.dataDir);
    const introspection = page.locator('#postOauthIntrospect');
    await introspection.getByLabel('client_id').fill(clientIdOf(key));
    await introspection.getByLabel('client_secret').fill(key);
    assert.match(
      await introspection.locator('.command').innerText(),
      /'token=eyJ\w{5}…&client_id=\w+&client_secret=••••••••'/,
    );
    await send(page, 'postOauthIntrospect');
    assert.match(await introspection.locator('.answer').innerText(), /200 OK[\s\S]*"active": true/);
    await page.reload();
    await page.locator('#getApiProtected').waitFor();
    assert.match(await page.locator('#session').innerText(), /Not signed in/);
    assert.deepEqual(complaints, []);
  });

  test('shows what a server or a person wrote as text, never as markup', async () => {
    const { page, complaints } = await openPage({ expectedStatuses: [400, 401] });
    const form = page.locator('#postAuthRegister');
    await form.getByLabel('email').fill('<img src=x onerror=alert(1)>');
    await send(page, 'postAuthRegister');
    assert.equal(await page.locator('img[src="x"]').count(), 0);
    assert.deepEqual(complaints, []);
  });

  test('is the same page where its address ends with a slash', async () => {
    const { page, complaints } = await openPage();
    await page.goto(`${service.url}/docs/`);
    await page.locator('#postAuthLogin').waitFor();
    assert.equal(page.url(), `${service.url}/docs`);
    assert.deepEqual(complaints, []);
  });

  test('runs no script but its own', async () => {
    const { page, complaints, strayRequests } = await openPage();
    await page.evaluate(`{
      const script = document.createElement('script');
      try { script.textContent = 'globalThis.hasRun = 1'; document.head.append(script); } catch {}
      const image = new Image(); image.src = 'https://elsewhere.example/x.png'; document.body.append(image);
    }`);
    await page.waitForTimeout(200);
    assert.equal(await page.evaluate('globalThis.hasRun'), undefined);
    assert.deepEqual(strayRequests, [], 'the policy stops it before it is sent');
    assert.match(complaints.join('\n'), /Content Security Policy/);
    const { headers } = await get(`${service.url}/docs`);
    assert.match(
      headers.get('content-security-policy') ?? '',
      /default-src 'none'.*script-src 'self'.*frame-ancestors 'none'/,
    );
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
  });

  test('fits on a phone, and works with the keyboard', async () => {
    const { page, complaints } = await openPage({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
    const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    assert.equal(overflow, 0, 'nothing is wider than the screen');
    await page.keyboard.press('/');
    await page.keyboard.type('logout-all');
    assert.equal(await page.locator('#list a:visible').count(), 1);
    await page.locator('#postAuthLogin').getByLabel('email').press('Control+Enter');
    await page.locator('#postAuthLogin .answer .status').waitFor();
    assert.deepEqual(complaints, []);
  });
});
