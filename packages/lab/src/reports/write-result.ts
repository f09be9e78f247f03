/**
 * Writes all files of a result.
 * @module
 */
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { printableJson } from '../texts/printable.ts';
import { csvFiles } from './csv.ts';
import { htmlReport } from './html/page.ts';
import { junitReport } from './junit.ts';
import { markdownReport } from './markdown.ts';
import type { RunResult } from './result.ts';

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

/**
 * Writes the JSON file and everything derived from it.
 * @param out path and beginning of the names of the files
 * @returns their names
 * @throws the system's error when a file cannot be written
 */
export const writeResult = (result: RunResult, out: string): readonly string[] => {
  const files: Record<string, string> = {
    '.json': `${printableJson(result, 1)}\n`,
    '.md': markdownReport(result),
    '.html': htmlReport(result),
    '_junit.xml': junitReport(result),
    ...Object.fromEntries(Object.entries(csvFiles(result)).map(([end, text]) => [`${end}.csv`, text])),
  };
  return Object.entries(files).map(([end, text]) => {
    writeFileSync(`${out}${end}`, text);
    return `${out}${end}`;
  });
};
