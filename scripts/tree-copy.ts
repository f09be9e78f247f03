/**
 * A temporary copy of the source tree, to run a changed version: a mutant, or a variant to measure.
 * @module
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A copy; its maker removes it. */
export interface TreeCopy {
  readonly path: string;
  remove(): void;
}

/** A patch that no longer applies to the tree. */
export class StalePatchError extends Error {
  override readonly name = 'StalePatchError';
}

const runGit = (folder: string, args: readonly string[]): { status: number | null; stdout: string; stderr: string } => {
  // Variables that a surrounding git command sets would point into another tree; the ceiling keeps it from finding one above.
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')));
  return spawnSync('git', args, {
    cwd: folder,
    env: { ...environment, GIT_CEILING_DIRECTORIES: dirname(folder) },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
};

/** Files that git knows or would add; ignored files (installed, built, generated) are not copied. */
const sourceFiles = (root: string): string[] => {
  const { status, stdout, stderr } = runGit(root, ['ls-files', '--cached', '--others', '--exclude-standard', '-z']);
  if (status !== 0) throw new Error(`Cannot list the files of ${root}: ${stderr.trim()}`);
  const names = new Set(stdout.split('\0').filter((name) => name !== ''));
  // Deleted but not committed yet: git still lists it.
  return [...names].filter((name) => existsSync(join(root, name)));
};

/**
 * Links the installed packages into the copy, one by one. The links among the workspaces and the commands are relative
 * (`@catalytic/guard → ../../packages/guard`), so made anew in the copy they lead to the copy's own packages.
 */
const linkInstalled = (from: string, to: string): void => {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    const original = join(from, name);
    const stat = lstatSync(original);
    if (stat.isSymbolicLink()) symlinkSync(readlinkSync(original), join(to, name));
    else if (name === '.bin' || name === '@catalytic') linkInstalled(original, join(to, name));
    else symlinkSync(original, join(to, name));
  }
};

/** Applies a patch with `git apply`. */
const applyPatch = (folder: string, patch: string): void => {
  const { status, stderr } = runGit(folder, ['apply', '--whitespace=nowarn', patch]);
  if (status !== 0) throw new StalePatchError(`patch ${patch} no longer applies: refresh it\n${stderr.trim()}`);
};

/**
 * Copies a tree, as it is on disk now, with its installed packages linked in.
 * @param patch absolute path of a patch to apply in the copy
 * @throws {StalePatchError} when the patch does not apply
 */
export const copyTree = (root: string, patch?: string): TreeCopy => {
  const path = mkdtempSync(join(tmpdir(), 'catalytic-copy-'));
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  try {
    for (const name of sourceFiles(root)) {
      // With its times, so that npm commands in the copy find the install as current as here.
      cpSync(join(root, name), join(path, name), { preserveTimestamps: true });
    }
    const installed = ['.', ...packageFolders(root)].map((folder) => join(folder, 'node_modules'));
    for (const folder of installed)
      if (existsSync(join(root, folder))) linkInstalled(join(root, folder), join(path, folder));
    // Fetched servers and the browser of the tests: without the link a copy would fetch them again.
    const fetched = join(root, '.cache');
    if (existsSync(fetched)) symlinkSync(fetched, join(path, '.cache'));
    if (patch !== undefined) applyPatch(path, patch);
    return { path, remove };
  } catch (error) {
    remove();
    throw error;
  }
};

/** A package may have dependencies of another version installed beside it. */
const packageFolders = (root: string): string[] =>
  existsSync(join(root, 'packages')) ? readdirSync(join(root, 'packages')).map((name) => join('packages', name)) : [];
