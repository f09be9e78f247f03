/**
 * The guard as strangers have it: packed, installed into an empty project, compiled against, run.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Makes the tarball. @returns its path */
export const packGuard = (to: string): string =>
  execFileSync(process.execPath, [join(root, 'scripts/pack.ts'), '--to', to], { encoding: 'utf8' }).trim();

/** What the compiler of a careful user has switched on. */
const compilerOptions = {
  ...{ target: 'es2022', module: 'nodenext', types: ['node'], outDir: 'out', skipLibCheck: false },
  ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, verbatimModuleSyntax: true },
};

const npm = (folder: string, words: readonly string[]): void => {
  execFileSync('npm', [...words, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
};

/**
 * Installs packages into an empty project beside the types of Node that this repository has.
 * @param packages tarballs, or names for the registry
 */
export const installInto = (folder: string, packages: readonly string[], isOffline: boolean): void => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  npm(folder, ['install', ...(isOffline ? ['--offline'] : []), ...packages]);
  mkdirSync(join(folder, 'node_modules/@types'), { recursive: true });
  for (const name of ['@types/node', 'undici-types'])
    if (!existsSync(join(folder, 'node_modules', name)))
      symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
};

/** Compiles programs of this folder in a project. @throws with the compiler's words when it finds an error */
export const compileIn = (folder: string, ...programs: readonly string[]): void => {
  for (const program of programs) copyFileSync(join(root, 'tests/packages/consumers', program), join(folder, program));
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: programs }));
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', '.'], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
};

/** Runs a command of the package with npx, as its README says. @returns what it has printed */
export const runWithNpx = (folder: string, words: readonly string[]): string =>
  execFileSync('npx', ['--no', '--', '@catalytic/guard', ...words], { cwd: folder, encoding: 'utf8' });

/** Runs a compiled program. @param node program of the Node that runs it @returns what it has printed, read as JSON */
export const runIn = (folder: string, program: string, node: string): unknown => {
  const file = join('out', program.replace(/\.mts$/, '.mjs'));
  return JSON.parse(execFileSync(node, [file], { cwd: folder, encoding: 'utf8', env: {}, timeout: 60_000 }));
};

const expectedInAnyMode = {
  alive: [200, 200, true],
  without: [401, 401, false],
  reader: [403, 403, true],
  'signed out': [401, 401, false],
  away: [503, 503, false],
};

/** What plain.mts prints. */
export const expectedOfConsumer = { strict: expectedInAnyMode, follow: expectedInAnyMode, ask: expectedInAnyMode };

/** What sidecar.mts prints. */
export const expectedOfSidecar = { alive: [200, 'editor,%C3%A9'], reader: [403, null], revoked: [401, null], ended: 0 };

/** What frameworks.mts prints. */
const expectedOfFramework = [401, 200, 403, 204, 401, 503];
export const expectedOfFrameworks = {
  express: expectedOfFramework,
  fastify: expectedOfFramework,
  hono: expectedOfFramework,
};
