/**
 * `npm run bench -- NAME`: starts a bench, or lists them. Every file of the folder above is a bench and answers one question, the first
 * sentence in it; the folders beside them hold the shared parts.
 * @module
 */
import { globSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { questionOf } from './result.ts';

const folder = resolve(import.meta.dirname, '..');
const names = globSync('*.ts', { cwd: folder })
  .map((file) => basename(file, '.ts'))
  .sort();
const fileOf = (name: string): string => join(folder, `${name}.ts`);

const list = (): string => {
  const width = Math.max(...names.map(({ length }) => length));
  return `Measurements of the service and of the lab. Run one at a time on a machine that does nothing else.

  npm run bench -- NAME [options]
  npm run bench -- NAME --help      what it measures, needs and takes
  npm run bench -- NAME --out FILE  the result as JSON; as a report in Markdown where FILE ends in .md

${names.map((name) => `  ${name.padEnd(width)}  ${questionOf(fileOf(name))}\n`).join('')}
Exit codes: 0 fine, 1 it could not be run, 2 an aim was missed, 3 invalid: the machine was busy with something else.
`;
};

const [node = '', , name, ...args] = process.argv;
if (name === undefined || name === '--help' || name === '-h') process.stdout.write(list());
else if (!names.includes(name)) {
  process.stderr.write(`bench: there is no bench "${name}"; "npm run bench" lists them\n`);
  process.exitCode = 1;
} else {
  // The bench sees the command line that it would have if it had been started by itself.
  process.argv = [node, fileOf(name), ...args];
  await import(pathToFileURL(fileOf(name)).href);
}
