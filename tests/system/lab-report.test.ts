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

/** Dots of the latency chart in the colour of the p50: in its first two fifths, and in the rest. */
const tintedDots = async (page: Page): Promise<readonly [number, number]> =>
  page.evaluate(`(() => {
    const canvas = document.querySelector('#chart-latency canvas');
    const brush = document.createElement('canvas').getContext('2d');
    brush.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--p50').trim();
    brush.fillRect(0, 0, 1, 1);
    const [red, green, blue] = brush.getImageData(0, 0, 1, 1).data;
    const { data, width } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const dots = [0, 0];
    for (let at = 0; at < data.length; at += 4)
      if (data[at] === red && data[at + 1] === green && data[at + 2] === blue && data[at + 3] === 255)
        dots[(at / 4) % width < width * 0.4 ? 0 : 1] += 1;
    return dots;
  })()`);

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

  test('a second that stands alone between seconds without a request is drawn', async () => {
    const result = labResult(60, { criteria: {}, faults: [] });
    const seconds = result.seconds.map((second) =>
      [15, 30, 31].includes(second.t_s) ? second : { ...second, p50_ms: null, p95_ms: null, p99_ms: null },
    );
    const { page, complaints } = await openPage(file('alone-second.html', htmlReport({ ...result, seconds })));
    const [alone, together] = await tintedDots(page);
    assert.ok(alone >= 10 && together >= 10, `${alone} and ${together}`);
    assert.deepEqual(complaints, []);
    const short = { ...labResult(1, { criteria: {}, faults: [] }), steady: null, judged: 'whole' as const };
    const opened = await openPage(file('short.html', htmlReport(short)));
    assert.ok(
      (await tintedDots(opened.page)).some((dots) => dots >= 10),
      'a run of one second, too',
    );
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
