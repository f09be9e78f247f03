/**
 * PostgreSQL from the packages of Debian or Ubuntu, unpacked into a folder: the machine's own package lists and its installed packages
 * stay as they are.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Places } from './places.ts';

/** Longest time for one of apt's steps. */
const stepMsMax = 180_000;

/** Packages that are never wanted: another C library than the machine's, headers, and the just-in-time compiler, which is large. */
const unwanted = /^(libc6|libc-bin|libllvm|libz3)|-dev$|-perl$/;

/** Folders that a server does not read. `llvmjit` fails queries when its library is missing; without it they run uncompiled. */
const unread = ['usr/share/{doc,man,locale,lintian}', 'usr/lib/postgresql/*/lib/{bitcode,llvmjit*}'];

/** Where Debian puts libraries. */
const libraryFolders = ['usr/lib/*-linux-gnu*', 'lib/*-linux-gnu*', 'usr/lib'];

const described = (root: string) => {
  const [bin] = globSync('usr/lib/postgresql/*/bin', { cwd: root });
  if (bin === undefined) throw new Error('the packages hold no server');
  return { root, bin, libraries: libraryFolders.flatMap((pattern) => globSync(pattern, { cwd: root })) };
};

const fetchInto = (work: string, path: string, majorMin: number): void => {
  const root = join(work, 'root');
  for (const folder of ['lists/partial', 'cache/archives/partial', 'packages', 'root'])
    mkdirSync(join(work, folder), { recursive: true });
  const run = (program: string, args: readonly string[]): string =>
    execFileSync(program, args, {
      cwd: join(work, 'packages'),
      encoding: 'utf8',
      env: { PATH: path, HOME: work, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: stepMsMax,
    });
  const apt = (program: string, ...args: readonly string[]): string =>
    run(program, [
      ...['-o', `Dir::State::lists=${work}/lists`, '-o', `Dir::Cache=${work}/cache`, '-o', 'Debug::NoLocking=1'],
      // As root apt would fetch as the user _apt, who may not write here.
      ...(process.getuid?.() === 0 ? ['-o', 'APT::Sandbox::User=root'] : []),
      '-qq',
      ...args,
    ]);
  apt('apt-get', 'update');
  const majors = [
    ...apt('apt-cache', 'search', '--names-only', '^postgresql-[0-9]+$').matchAll(/^postgresql-(\d+) /gm),
  ];
  const major = Math.max(0, ...majors.map(([, digits]) => Number(digits)));
  if (major < majorMin) throw new Error(`the newest that apt knows is ${major}`);
  const own = [`postgresql-${major}`, `postgresql-client-${major}`, 'libpq5'];
  // "--reinstall": these three wanted even where they are installed. Of the others apt lists what the machine lacks.
  const plan = apt('apt-get', 'install', '--print-uris', '--reinstall', '--no-install-recommends', ...own);
  const names = [...plan.matchAll(/^'\S+' ([^_\s]+)_/gm)].map(([, name = '']) => name);
  const wanted = names.filter((name) => own.includes(name) || (name.startsWith('lib') && !unwanted.test(name)));
  apt('apt-get', 'download', ...wanted);
  for (const file of readdirSync(join(work, 'packages'))) run('dpkg', ['-x', file, root]);
  for (const folder of unread.flatMap((pattern) => globSync(pattern, { cwd: root })))
    rmSync(join(root, folder), { recursive: true });
};

/** Unpacks a server, or takes the one unpacked before. */
export const unpackDebianPackages = ({ path, cache }: Places, majorMin: number) => {
  const kept = join(cache, 'debian');
  if (existsSync(kept)) return described(kept);
  if (!path.split(':').some((folder) => existsSync(join(folder, 'apt-get')))) throw new Error('there is no apt-get');
  mkdirSync(cache, { recursive: true });
  // Two test files may both come here: each unpacks for itself, and one of the results is kept.
  const work = mkdtempSync(join(cache, 'fetching-'));
  try {
    fetchInto(work, path, majorMin);
    described(join(work, 'root'));
    if (!existsSync(kept)) renameSync(join(work, 'root'), kept);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return described(kept);
};
