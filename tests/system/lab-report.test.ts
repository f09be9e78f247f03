import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { htmlReport } from '../../packages/lab/src/reports/html/page.ts';
import { browserIn, needsBrowser, type TestBrowser } from '../harness/browser.ts';
import { hostileText, labResult } from '../harness/lab-result.ts';

const folder = mkdtempSync(join(tmpdir(), 'catalytic-report-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

const latencyDots = (name: string): string =>
  `[...document.querySelectorAll('#${name} canvas')].map((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, index) => index % 4 === 3 && value > 200).length;
  })`;

/** Opaque dots of each canvas under an element: a blank one has none. */
const dotsOf = (page: Page, name: string): Promise<readonly number[]> => page.evaluate(latencyDots(name));

suite('the report of a run in a browser', needsBrowser(), () => {
  let browser: TestBrowser | undefined;
  let clean = async (): Promise<void> => {};
  after(() => clean());
  const scope = {
    after: (cleaning: () => Promise<void>) => {
      clean = cleaning;
    },
  };
  const openPage = async (path: string, options = {}) => {
    browser ??= await browserIn(scope);
    const opened = await browser.open(options);
    await opened.page.goto(pathToFileURL(path).href);
    return opened;
  };

  test('it opens without asking anybody, draws every chart, and complains of nothing', async () => {
    const path = file('run.html', htmlReport(labResult(60, { scenario: hostileText })));
    const { page, strayRequests, complaints } = await openPage(path, { viewport: { width: 1280, height: 900 } });
    const dots = [...(await dotsOf(page, 'charts')), ...(await dotsOf(page, 'curve'))];
    assert.equal(dots.length, 10);
    assert.ok(
      dots.every((count) => count > 500),
      String(dots),
    );
    assert.match((await page.textContent('#missing')) ?? '', /Password hashing, Revocation/);
    assert.match(await page.title(), /^Passed/, 'what the target said did not run');
    assert.deepEqual(strayRequests, []);
    assert.deepEqual(complaints, []);
  });

  test('cursor and zoom follow the keyboard in all charts', async () => {
    const { page, complaints } = await openPage(file('keys.html', htmlReport(labResult())));
    await page.focus('#chart-latency');
    await page.keyboard.press('Home');
    await page.keyboard.press('Shift+ArrowRight');
    assert.match((await page.textContent('#said')) ?? '', /^11 s: p50 12, p95 80, p99 180/);
    assert.equal(await page.textContent('#chart-throughput output'), '100', 'the others show the same second');
    await page.keyboard.press('+');
    assert.ok(await page.isVisible('#reset'));
    await page.keyboard.press('Escape');
    assert.ok(await page.isHidden('#reset'));
    assert.deepEqual(complaints, []);
  });

  test('another run is laid over it: by the command line, and by dropping its result', async () => {
    const other = labResult(90, { scenario: hostileText });
    const built = await openPage(file('both.html', htmlReport(labResult(), other)));
    assert.equal(await built.page.locator('#chart-latency .key.other').count(), 3);
    assert.equal(await built.page.locator('#chart-curve .key.other').count(), 1);
    assert.match((await built.page.textContent('#ratios')) ?? '', /p95, ms81\.581\.5× 1\.00/);

    const { page, strayRequests, complaints } = await openPage(file('alone.html', htmlReport(labResult())));
    assert.ok(await page.isHidden('#comparison'));
    await page.setInputFiles('#lay-over', file('other.json', JSON.stringify(other)));
    await page.waitForSelector('#chart-latency .key.other');
    assert.ok(await page.isVisible('#comparison'));
    assert.ok((await page.textContent('#other-name'))?.startsWith(hostileText));
    await page.setInputFiles('#lay-over', file('none.json', '{"format": "another"}'));
    await page.getByText('no result of the lab').waitFor();
    assert.deepEqual(strayRequests, []);
    assert.deepEqual(complaints, []);
  });

  test('on a phone nothing is wider than the screen, in the dark neither', async () => {
    const path = file('phone.html', htmlReport(labResult(), labResult(90)));
    const { page, complaints } = await openPage(path, { viewport: { width: 360, height: 740 }, colorScheme: 'dark' });
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 360);
    assert.deepEqual(complaints, []);
  });
});
