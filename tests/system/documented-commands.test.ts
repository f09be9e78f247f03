/**
 * Every command and flag that the documentation names, asked for in the help of the programs. Reports and decisions are left out: they tell of
 * their day.
 * @module
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { listFiles } from '../../scripts/list-files.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const programs = { catalytic: 'packages/server/src/main.ts', lab: 'packages/lab/src/main.ts' } as const;
type Program = keyof typeof programs;

/** A command line of the documentation. */
interface Named {
  readonly place: string;
  readonly program: Program;
  readonly words: readonly string[];
}

/** The program, and its command line up to what a shell would take for something else; quoted text belongs to it, whatever it holds. */
const pattern = /npm (?:run (?:-s |--silent )?(catalytic|lab)|(start)) -- ((?:"[^"\n]*"|'[^'\n]*'|[^\n`#|&;)"'])*)/g;

const namedIn = (file: string): Named[] => {
  const text = readFileSync(join(root, file), 'utf8').replace(/\\\n\s*/g, ' ');
  return [...text.matchAll(pattern)].map(([, program, start, line = '']) => ({
    place: `${file}: npm ${start ?? `run ${program}`} -- ${line.trim()}`,
    program: program === 'lab' ? 'lab' : 'catalytic',
    words: [
      ...(start === undefined ? [] : ['serve']),
      ...line
        .replace(/"[^"]*"|'[^']*'/g, 'TEXT')
        .trim()
        .split(/\s+/),
    ],
  }));
};

const helps = new Map<string, Promise<string>>();
const helpOf = (program: Program, path: readonly string[]): Promise<string> => {
  const key = [program, ...path].join(' ');
  const known = helps.get(key);
  if (known !== undefined) return known;
  const help = promisify(execFile)(process.execPath, [join(root, programs[program]), ...path, '--help']).then(
    ({ stdout }) => stdout,
  );
  helps.set(key, help);
  return help;
};

/** The help of the command that a line names, and the words that lead to it. */
const commandOf = async ({ program, words }: Named): Promise<{ path: readonly string[]; help: string }> => {
  let path: readonly string[] = [];
  let help = await helpOf(program, path);
  for (const word of words) {
    const isCommand = /^(?:Commands|[A-Z][\w ]*):\n/m.test(help) && /^[a-z][a-z-]*$/.test(word);
    if (!isCommand || !new RegExp(`^  ${word}\\b`, 'm').test(help)) break;
    path = [...path, word];
    help = await helpOf(program, path);
  }
  return { path, help };
};

test('each command and each flag that the documentation names is in the help', async () => {
  const documents = listFiles(root).files.filter(
    (file) => file.endsWith('.md') && !/^docs\/(reports|decisions)\//.test(file),
  );
  const named = documents.flatMap(namedIn);
  assert.ok(named.length > 50, `only ${named.length} command lines were found`);
  const missing: string[] = [];
  for (const line of named) {
    const { path, help } = await commandOf(line);
    const [first = ''] = line.words;
    if (path.length === 0 && /^[a-z]/.test(first)) missing.push(`${line.place}: there is no command ${first}`);
    for (const flag of line.words.filter((word) => /^--[a-z]/.test(word)))
      if (flag !== '--help' && !new RegExp(`${flag}\\b`).test(help)) missing.push(`${line.place}: there is no ${flag}`);
  }
  assert.deepEqual(missing, []);
});
