/**
 * The project at an earlier commit, with its dependencies of then.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { say } from '../harness/result.ts';
import { root } from '../harness/services.ts';

const cache = join(root, '.cache/revisions');

/** Bytes that a whole tree may have. */
const treeBytesMax = 512 * 1024 * 1024;

/** Fetches a revision, or takes the one fetched before. @returns its folder, and the commit in short */
export const checkOut = (revision: string): { readonly folder: string; readonly commit: string } => {
  const git = (...words: readonly string[]): Buffer =>
    execFileSync('git', [...words], { cwd: root, maxBuffer: treeBytesMax });
  const sha = git('rev-parse', '--verify', `${revision}^{commit}`).toString().trim();
  const [folder, commit] = [join(cache, sha), sha.slice(0, 7)];
  if (existsSync(folder)) return { folder, commit };
  say(`Fetching ${commit} and its dependencies`);
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'fetching-'));
  execFileSync('tar', ['-x', '-C', work], { input: git('archive', sha), maxBuffer: treeBytesMax });
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: work, stdio: ['ignore', 'ignore', 'inherit'] });
  renameSync(work, folder);
  return { folder, commit };
};
