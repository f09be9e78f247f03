/**
 * Programs from the packages of Debian or Ubuntu, unpacked into a folder: the machine's own package lists and its installed packages stay
 * as they are.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Longest time for one of apt's steps. */
const stepMsMax = 180_000;

/** Packages that are never wanted: another C library than the machine's, headers, and the just-in-time compiler, which is large. */
const unwanted = /^(libc6|libc-bin|libllvm|libz3)|-dev$|-perl$/;

/** Packages of libraries. */
const libraryNames = /^(lib|lua-)/;

/** Folders that no program reads. */
const unreadByAll = ['usr/share/{doc,man,locale,lintian}'];

/** Where Debian puts libraries, and those of PulseAudio, which Chromium needs to start. */
const libraryFolders = ['usr/lib/*-linux-gnu*', 'lib/*-linux-gnu*', 'usr/lib', 'usr/lib/*-linux-gnu*/pulseaudio'];

/** Packages to unpack, and where. */
export interface Unpacking {
  /** A `PATH` with the programs that fetch packages. */
  readonly path: string;
  /** Folder that keeps the fetched packages. */
  readonly cache: string;
  /** Chooses the packages. Its search takes a regular expression and looks among the names that apt knows. */
  readonly choose: (search: (pattern: string) => readonly string[]) => readonly string[];
  /** Pattern of the file or folder that they must contain: the program, or its folder. */
  readonly holding: string;
  /** Further folders to leave out. */
  readonly unread?: readonly string[];
}

/** Unpacked packages. */
export interface Unpacked {
  /** Folder that holds all of it: it may be copied elsewhere as a whole. */
  readonly root: string;
  /** The file or folder that matches the pattern, below the root. */
  readonly found: string;
  /** Folders of libraries that the machine does not have, below the root. */
  readonly libraries: readonly string[];
}

const described = (root: string, pattern: string): Unpacked => {
  const [found] = globSync(pattern, { cwd: root });
  if (found === undefined) throw new Error(`the packages hold no ${pattern}`);
  return { root, found, libraries: libraryFolders.flatMap((folders) => globSync(folders, { cwd: root })) };
};

const fetchInto = (work: string, { path, choose, unread = [] }: Unpacking): void => {
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
      // As root, apt would fetch as the user _apt, which may not write here.
      ...(process.getuid?.() === 0 ? ['-o', 'APT::Sandbox::User=root'] : []),
      '-qq',
      ...args,
    ]);
  apt('apt-get', 'update');
  const own = choose((pattern) =>
    [...apt('apt-cache', 'search', '--names-only', pattern).matchAll(/^(\S+) /gm)].map(([, name = '']) => name),
  );
  // "--reinstall" lists these even where they are installed; of their dependencies apt lists those that the machine lacks.
  const plan = apt('apt-get', 'install', '--print-uris', '--reinstall', '--no-install-recommends', ...own);
  const names = [...plan.matchAll(/^'\S+' ([^_\s]+)_/gm)].map(([, name = '']) => name);
  const wanted = names.filter((name) => own.includes(name) || (libraryNames.test(name) && !unwanted.test(name)));
  apt('apt-get', 'download', ...wanted);
  for (const file of readdirSync(join(work, 'packages'))) run('dpkg', ['-x', file, root]);
  for (const folder of [...unreadByAll, ...unread].flatMap((pattern) => globSync(pattern, { cwd: root })))
    rmSync(join(root, folder), { recursive: true });
};

/**
 * Unpacks packages and the libraries they need, or takes those unpacked before.
 * @throws Error that names the missing part
 */
export const unpackDebianPackages = (unpacking: Unpacking): Unpacked => {
  const { path, cache, holding } = unpacking;
  const kept = join(cache, 'debian');
  if (existsSync(kept)) return described(kept, holding);
  if (!path.split(':').some((folder) => existsSync(join(folder, 'apt-get')))) throw new Error('there is no apt-get');
  mkdirSync(cache, { recursive: true });
  // Two test files may get here at once: each unpacks its own copy, and one of the results is kept.
  const work = mkdtempSync(join(cache, 'fetching-'));
  try {
    fetchInto(work, unpacking);
    described(join(work, 'root'), holding);
    if (!existsSync(kept)) renameSync(join(work, 'root'), kept);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return described(kept, holding);
};

/** The environment that unpacked or installed programs need. */
export const environmentOf = ({ root, libraries }: Pick<Unpacked, 'root' | 'libraries'>): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  LC_ALL: 'C',
  TZ: 'UTC',
  ...(libraries.length === 0 ? {} : { LD_LIBRARY_PATH: libraries.map((folder) => join(root, folder)).join(':') }),
});
