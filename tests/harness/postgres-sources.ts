/**
 * Tries every way in which a test can come by PostgreSQL, each with an empty cache: `node tests/harness/postgres-sources.ts`. Not part of
 * the gate, because it downloads about 50 MB.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { findServer } from './postgres/find-server.ts';
import { type Places, usualPlaces } from './postgres/places.ts';
import { startPostgres } from './postgres.ts';

// Nobody else may enter it: the case of a root who has cloned the repository into a home folder.
const work = mkdtempSync(join(tmpdir(), 'catalytic-sources-'));
const folders = usualPlaces.path.split(delimiter);
const pathWithout = (...programs: readonly string[]): string =>
  folders.filter((folder) => !programs.some((program) => existsSync(join(folder, program)))).join(delimiter);

/** A `PATH` with these programs only. */
const pathOf = (...programs: readonly string[]): string => {
  const folder = join(work, 'programs');
  mkdirSync(folder);
  for (const program of programs) {
    const found = folders.map((entry) => join(entry, program)).find((file) => existsSync(file));
    if (found !== undefined) symlinkSync(found, join(folder, program));
  }
  // npm is beside the Node it was installed with, and its first line asks `env` for that one.
  return [folder, dirname(process.execPath)].join(delimiter);
};

const nowhere = join(work, 'nothing-here');
const ways: Readonly<Record<string, Omit<Places, 'cache'>>> = {
  'as this machine is': usualPlaces,
  'PostgreSQL not installed': { path: pathWithout('postgres'), installed: nowhere },
  'PostgreSQL not installed, no apt-get': { path: pathOf('npm', 'env', 'sh'), installed: nowhere },
  'nothing at all': { path: nowhere, installed: nowhere },
};

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const seconds = (sinceMs: number): string => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

try {
  for (const [index, [title, where]] of Object.entries(ways).entries()) {
    const places = { ...where, cache: join(work, `cache-${index}`) };
    const startedAtMs = performance.now();
    try {
      const { source } = findServer(places);
      const found = seconds(startedAtMs);
      const server = await startPostgres({ places });
      const [[answer] = []] = await server.sql('select 40 + 2');
      await server.close();
      const size = execFileSync('du', ['-sm', places.cache], { encoding: 'utf8' }).split('\t')[0];
      say(
        `${title}: ${server.version}, ${source}, found in ${found}, answered ${answer} after ${seconds(startedAtMs)}, cache ${size} MB`,
      );
      if (answer !== '42') process.exitCode = 1;
    } catch (error) {
      say(`${title}: ${error instanceof Error ? error.message : String(error)}`);
      if (where.path !== nowhere) process.exitCode = 1;
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
