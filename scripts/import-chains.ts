/**
 * Holds ARCHITECTURE.md to the number of files that it counts. A paragraph that begins "Files
 * between the socket and the database" names them in order: `a.ts` → `b.ts` where the first imports
 * the second, `a.ts` ← `b.ts` where the second imports the first, as a store does with its port.
 * Paths begin at `packages/server/src/`.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Finding } from './findings.ts';
import { importsOf } from './imports.ts';

const page = 'ARCHITECTURE.md';
const sources = 'packages/server/src';
const paragraph = /^Files between the socket and the database[^:]*?(?<count>\d+)[^:]*:(?<chain>(?:.+\n?)+)/gm;

/** The files that a file of the chain imports; `undefined` when there is no such file. */
const importedBy = (root: string, path: string): ReadonlySet<string> | undefined => {
  const file = join(root, sources, path);
  if (!existsSync(file)) return undefined;
  return new Set(
    importsOf(readFileSync(file, 'utf8')).map(({ specifier }) => posix.join(posix.dirname(path), specifier)),
  );
};

/** Checks each such paragraph of ARCHITECTURE.md. */
export const checkImportChains = (root: string): readonly Finding[] => {
  if (!existsSync(join(root, page))) return [];
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(paragraph)].flatMap(({ index, groups }) => {
    const place = { file: page, line: text.slice(0, index).split('\n').length, rule: 'chain' };
    const [first, ...rest] = (groups?.['chain'] ?? '').split(/([→←])/);
    const nameIn = (part = ''): string => /`([^`]+)`/.exec(part)?.[1] ?? '';
    const files = [first, ...rest.filter((_, at) => at % 2 === 1)].map(nameIn);
    const findings: Finding[] = [];
    if (files.length !== Number(groups?.['count']))
      findings.push({ ...place, message: `it says ${groups?.['count']} files and names ${files.length}` });
    files.slice(1).forEach((file, at) => {
      const before = files[at] ?? '';
      const [from, to] = rest[at * 2] === '→' ? [before, file] : [file, before];
      const imported = importedBy(root, from);
      if (imported === undefined) findings.push({ ...place, message: `there is no ${sources}/${from}` });
      else if (!imported.has(to)) findings.push({ ...place, message: `${from} does not import ${to}` });
    });
    return findings;
  });
};
