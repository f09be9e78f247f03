/**
 * Writes all files of a result.
 * @module
 */
import { accessSync, constants, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { RunResult } from '../results/result.ts';
import { printableJson } from '../texts/printable.ts';
import { messageOf } from '../texts/say.ts';
import { csvFiles } from './csv.ts';
import { htmlReport } from './html/page.ts';
import { junitReport } from './junit.ts';
import { markdownReport } from './markdown.ts';

/**
 * Makes the folder of the result files, so that a run does not end with nowhere to write to.
 * @returns why nothing can be written there; `undefined` when it can
 */
export const checkWritable = (out: string): string | undefined => {
  const folder = dirname(out);
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return undefined;
  } catch (error) {
    return `Cannot write results to ${folder}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
  }
};

/** Files that were written, and failures to write. */
export interface Written {
  readonly files: readonly string[];
  /** A sentence for each file that could not be written. */
  readonly failures: readonly string[];
}

/** Writes a file whole or not at all. The folder may have been removed while the run went on. */
const writeWhole = (file: string, text: string): void => {
  const part = `${file}.part`;
  mkdirSync(dirname(file), { recursive: true });
  try {
    writeFileSync(part, text);
    renameSync(part, file);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
};

/**
 * Writes the JSON file and everything derived from it. A file that cannot be written, on a full
 * disk for example, does not prevent the others.
 * @param out path and beginning of the names of the files
 */
export const writeResult = (result: RunResult, out: string): Written => {
  const texts: Readonly<Record<string, () => string>> = {
    '.json': () => `${printableJson(result, 1)}\n`,
    '.md': () => markdownReport(result),
    '.html': () => htmlReport(result),
    '_junit.xml': () => junitReport(result),
    ...Object.fromEntries(Object.entries(csvFiles(result)).map(([end, text]) => [`${end}.csv`, () => text])),
  };
  const files: string[] = [];
  const failures: string[] = [];
  for (const [end, text] of Object.entries(texts)) {
    const file = `${out}${end}`;
    try {
      writeWhole(file, text());
      files.push(file);
    } catch (error) {
      failures.push(`Cannot write ${file}: ${(error as NodeJS.ErrnoException).code ?? messageOf(error)}`);
    }
  }
  return { files, failures };
};
