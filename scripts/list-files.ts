/**
 * Lists the files of a source tree.
 * @module
 */
import { type Dirent, readdirSync } from 'node:fs';

/** Never source, wherever they are. */
const skippedAnywhere = new Set(['node_modules', '.git']);
/** Written by running the product; skipped at the root only. The same folders as in `.gitignore`. */
const skippedAtRoot = new Set(['data', '.cache', 'results']);

/** A tree's files and folders, as sorted paths from its root with `/`. */
export interface Tree {
  readonly files: readonly string[];
  /** Folders with nothing in them. */
  readonly emptyFolders: readonly string[];
}

/** Walks a tree, without installed, built and generated files. It does not follow symbolic links. */
export const listFiles = (root: string): Tree => {
  const files: string[] = [];
  const emptyFolders: string[] = [];
  const isSource = (entry: Dirent, folder: string): boolean =>
    !skippedAnywhere.has(entry.name) &&
    !(folder === '' && skippedAtRoot.has(entry.name)) &&
    !entry.name.endsWith('.log') &&
    (entry.isFile() || entry.isDirectory());
  const walk = (folder: string): void => {
    const entries = readdirSync(`${root}/${folder}`, { withFileTypes: true }).filter((entry) =>
      isSource(entry, folder),
    );
    if (entries.length === 0) emptyFolders.push(folder.slice(0, -1));
    for (const entry of entries) {
      if (entry.isDirectory()) walk(`${folder}${entry.name}/`);
      else files.push(`${folder}${entry.name}`);
    }
  };
  walk('');
  return { files: files.sort(), emptyFolders: emptyFolders.sort() };
};

/** Whether a file is a test or a contract suite, and so is not shipped. */
export const isTestFile = (file: string): boolean => /\.(test|contract)\.ts$/.test(file);
