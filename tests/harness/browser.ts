/**
 * A real browser for tests: Chromium without a window, closed when the scope is over. It reaches this machine only; requests of a page to
 * any other place are refused and recorded.
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import {
  type FoundProgram,
  findProgram,
  needsProgram,
  type ProgramPlaces,
  usualProgramPlaces,
  type WantedProgram,
} from './find-program.ts';
import type { Scope } from './scope.ts';

/** The browser of the tests. Its flag for the version needs no display; the shell is Chromium without the parts that draw windows. */
export const wantedBrowser: WantedProgram = {
  title: 'Chromium',
  names: ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'],
  versionFlag: '--version',
  // "light-dark()" in style sheets, nested style rules.
  versionMin: [123, 0],
  // The first needs the second to start, and the third for fonts.
  packages: ['chromium-headless-shell', 'chromium-common', 'fonts-dejavu-core'],
  unpacked: 'usr/lib/chromium/chromium-headless-shell',
};

/** Longest time for a step of a page, milliseconds. */
const stepMsMax = 10_000;

/** A page under test. */
export interface BrowserPage {
  readonly page: Page;
  /** Requests of the page to addresses outside the allowed origin: each was refused. */
  readonly strayRequests: readonly string[];
  /** Errors that the page wrote to the console or threw, refusals by its Content-Security-Policy among them. */
  readonly complaints: readonly string[];
}

/** Options of a page. */
export interface BrowserPageOptions
  extends Pick<BrowserContextOptions, 'viewport' | 'colorScheme' | 'deviceScaleFactor' | 'permissions' | 'hasTouch'> {
  /** The one origin that it may reach; absent: none, as for a file. */
  readonly origin?: string;
  /** Statuses of answers that the test expects: Chromium complains about each answer of 400 and above. */
  readonly expectedStatuses?: readonly number[];
}

/** A browser under test. */
export interface TestBrowser {
  readonly version: string;
  /** Opens a page that shares nothing with any other. */
  open(options?: BrowserPageOptions): Promise<BrowserPage>;
}

/**
 * Whether tests that need a browser can run, as an option of `test` and `suite`.
 * @throws Error when there is none and `CI` is set: there no test may be skipped unnoticed
 */
export const needsBrowser = (places: ProgramPlaces = usualProgramPlaces): { readonly skip: string | false } =>
  needsProgram(wantedBrowser, places);

/** The fonts behind these names. */
const families = [
  ['system-ui', 'DejaVu Sans'],
  ['sans', 'DejaVu Sans'],
  ['sans-serif', 'DejaVu Sans'],
  ['serif', 'DejaVu Serif'],
  ['monospace', 'DejaVu Sans Mono'],
]
  .map(([name, family]) => `<alias><family>${name}</family><prefer><family>${family}</family></prefer></alias>`)
  .join('');

/** Settings for the fonts of the machine and the fetched ones; a machine without fonts has no settings for them either. */
const fontSettings = (folder: string, { file, source }: FoundProgram): NodeJS.ProcessEnv => {
  if (source === 'installed') return {};
  const fetched = join(dirname(file), '../../share/fonts');
  const settings = join(folder, 'fonts.conf');
  writeFileSync(
    settings,
    `<fontconfig><dir>/usr/share/fonts</dir><dir>${fetched}</dir><cachedir>${folder}/fonts</cachedir>${families}</fontconfig>`,
  );
  return { FONTCONFIG_FILE: settings };
};

const definedOnly = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));

/** Starts a browser; it is gone when the scope is over, however it ends. */
export const browserIn = async (scope: Scope, places: ProgramPlaces = usualProgramPlaces): Promise<TestBrowser> => {
  const program = findProgram(wantedBrowser, places);
  const folder = mkdtempSync(join(tmpdir(), 'catalytic-browser-'));
  let close = async (): Promise<void> => {};
  scope.after(async () => {
    await close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  });
  const browser = await chromium.launch({
    executablePath: program.file,
    env: { ...definedOnly({ ...program.env, ...fontSettings(folder, program) }), HOME: folder },
    // Root may not use the sandbox, and the pages are ours. In a container /dev/shm is small.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--disable-background-networking'],
    timeout: stepMsMax,
  });
  close = () => browser.close();

  const open = async ({ origin, expectedStatuses = [], ...options }: BrowserPageOptions = {}): Promise<BrowserPage> => {
    const context = await browser.newContext(options);
    context.setDefaultTimeout(stepMsMax);
    const strayRequests: string[] = [];
    const complaints: string[] = [];
    await context.route('**', (route) => {
      const url = route.request().url();
      const isOwn = /^(data|blob|file):/.test(url) || (origin !== undefined && new URL(url).origin === origin);
      if (isOwn) return route.continue();
      strayRequests.push(url);
      return route.abort();
    });
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return;
      const status = Number(/the server responded with a status of (\d+)/.exec(message.text())?.[1]);
      if (!expectedStatuses.includes(status)) complaints.push(message.text());
    });
    return { page, strayRequests, complaints };
  };
  return { version: program.version, open };
};
