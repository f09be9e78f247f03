/**
 * Tries every source of the servers that tests need, each with an empty cache: `npm run server-sources`. It is not part of the gate,
 * because it downloads about 200 MB.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { browserIn, wantedBrowser } from './browser.ts';
import { findProgram, type ProgramPlaces, usualProgramPlaces, type WantedProgram } from './find-program.ts';
import { type GatewayName, startGateway, wantedCaddy, wantedNginx } from './gateways.ts';
import { startHaproxy, wantedHaproxy } from './haproxy.ts';
import { findServer } from './postgres/find-server.ts';
import { usualPlaces } from './postgres/places.ts';
import { startPostgres } from './postgres.ts';
import { startRedis, wantedRedis } from './redis.ts';

// Only its owner may enter it, as when root has cloned the repository into a home folder.
const work = mkdtempSync(join(tmpdir(), 'catalytic-sources-'));
const folders = usualProgramPlaces.path.split(delimiter);
const nowhere = join(work, 'nothing-here');

/** A `PATH` of the programs of this machine whose name passes, in a folder below a name. */
const pathOf = (name: string, isWanted: (program: string) => boolean): string => {
  const folder = join(work, name);
  mkdirSync(folder);
  for (const entry of folders.filter((path) => existsSync(path)))
    for (const program of readdirSync(entry))
      if (isWanted(program) && !existsSync(join(folder, program)))
        symlinkSync(join(entry, program), join(folder, program));
  // npm is beside the Node it was installed with, and its first line asks `env` for that one.
  return [folder, dirname(process.execPath)].join(delimiter);
};

const isServer = (program: string): boolean =>
  [
    'postgres',
    ...wantedRedis.names,
    ...wantedHaproxy.names,
    ...wantedNginx.names,
    ...wantedCaddy.names,
    ...wantedBrowser.names,
  ].includes(program);

/** Where each way looks. */
const ways: Readonly<Record<string, string>> = {
  'as this machine is': usualProgramPlaces.path,
  'not installed': pathOf('no-servers', (program) => !isServer(program)),
  'not installed, no apt-get': pathOf('npm-only', (program) => ['npm', 'env', 'sh'].includes(program)),
  'nothing at all': nowhere,
};

/** The result of a source. */
interface Outcome {
  readonly source: string;
  readonly version: string;
  /** Whether the server did its work. */
  readonly works: boolean;
}

/** A gateway works when it answers 503 without a guard. */
const tryGateway = async (name: GatewayName, wanted: WantedProgram, places: ProgramPlaces): Promise<Outcome> => {
  const { source, version } = findProgram(wanted, places);
  await using gateway = await startGateway(name, { api: '127.0.0.1:9', guard: '127.0.0.1:9', places });
  return { source, version, works: (await fetch(gateway.url)).status === 503 };
};

const servers: Readonly<Record<string, (path: string, cache: string) => Promise<Outcome>>> = {
  PostgreSQL: async (path, cache) => {
    const places = { path, cache, installed: path === usualProgramPlaces.path ? usualPlaces.installed : nowhere };
    const { source, version } = findServer(places);
    await using server = await startPostgres({ places });
    const [[answer] = []] = await server.sql('select 40 + 2');
    return { source, version, works: answer === '42' };
  },
  Redis: async (path, cache) => {
    const places = { path, cache };
    const { source, version } = findProgram(wantedRedis, places);
    await using server = await startRedis({ places });
    return { source, version, works: (await server.command('INCRBY', 'answer', '42')) === 42 };
  },
  HAProxy: async (path, cache) => {
    const places = { path, cache };
    const { source, version } = findProgram(wantedHaproxy, places);
    await using balancer = await startHaproxy({ servers: [{ host: '127.0.0.1', port: 9 }], places });
    return { source, version, works: (await fetch(balancer.url)).status === 503 };
  },
  nginx: (path, cache) => tryGateway('nginx', wantedNginx, { path, cache }),
  Caddy: (path, cache) => tryGateway('caddy', wantedCaddy, { path, cache }),
  Chromium: async (path, cache) => {
    const places = { path, cache };
    const { source } = findProgram(wantedBrowser, places);
    const cleaners: (() => void | Promise<void>)[] = [];
    try {
      const browser = await browserIn({ after: (clean) => void cleaners.push(clean) }, places);
      const { page } = await browser.open();
      return { source, version: browser.version, works: (await page.evaluate('40 + 2')) === 42 };
    } finally {
      for (const clean of cleaners) await clean();
    }
  },
};

/** Whether a server needs apt: only PostgreSQL is among npm's packages. */
const needsApt = (name: string): boolean => name !== 'PostgreSQL';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

try {
  for (const [name, tryOut] of Object.entries(servers))
    for (const [index, [way, path]] of Object.entries(ways).entries()) {
      const cache = join(work, `${name}-${index}`);
      mkdirSync(cache);
      const startedAtMs = performance.now();
      try {
        const { source, version, works } = await tryOut(path, cache);
        const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
        const size = execFileSync('du', ['-sm', cache], { encoding: 'utf8' }).split('\t')[0];
        say(
          `${name}, ${way}: ${version}, ${source}, ${works ? 'works' : 'FAILS'} after ${seconds} s, cache ${size} MB`,
        );
        if (!works) process.exitCode = 1;
      } catch (error) {
        say(`${name}, ${way}: ${error instanceof Error ? error.message : String(error)}`);
        const isExpected = path === nowhere || (needsApt(name) && way === 'not installed, no apt-get');
        // A machine that has neither the server nor apt-get cannot do better.
        if (!isExpected && folders.some((folder) => existsSync(join(folder, 'apt-get')))) process.exitCode = 1;
      }
    }
} finally {
  rmSync(work, { recursive: true, force: true });
}
