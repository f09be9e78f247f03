/**
 * Every command and flag that the documentation names, asked for in the help of the programs. Reports and decisions are left out: they tell of
 * their day.
 * @module
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { listFiles } from '../../scripts/list-files.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** The programs, and how many words name a command of them at most. */
const programs = {
  catalytic: { file: 'packages/server/src/main.ts', wordsMax: 2 },
  lab: { file: 'packages/lab/src/main.ts', wordsMax: 1 },
  faults: { file: 'tests/faults/matrix.ts', wordsMax: 0 },
} as const;
type Program = keyof typeof programs;

/** A command line of the documentation. */
interface Named {
  readonly place: string;
  readonly program: Program;
  readonly words: readonly string[];
}

/** The program, and its command line up to what a shell would take for something else; quoted text belongs to it, whatever it holds. */
const pattern =
  /npm (?:run (?:-s |--silent )?(catalytic|lab|faults)|(start)) -- ((?:"[^"\n]*"|'[^'\n]*'|[^\n`#|&;)"'])*)/g;

/** Words of the command itself: quoted text is one, and those after a `--` are for another command. */
const ownWords = (line: string): string[] => {
  const words = line
    .replace(/"[^"]*"|'[^']*'/g, 'TEXT')
    .trim()
    .split(/\s+/);
  const end = words.indexOf('--');
  return end === -1 ? words : words.slice(0, end);
};

const namedIn = (file: string): Named[] => {
  const text = readFileSync(join(root, file), 'utf8').replace(/\\\n\s*/g, ' ');
  return [...text.matchAll(pattern)].map(([, program, start, line = '']) => ({
    place: `${file}: npm ${start ?? `run ${program}`} -- ${line.trim()}`,
    program: (program ?? 'catalytic') as Program,
    words: [...(start === undefined ? [] : ['serve']), ...ownWords(line)],
  }));
};

/** A bench is a file, so that its name can be looked up without a start of it. */
const missingBenches = (file: string): string[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/npm run bench -- ([a-z][a-z0-9-]*)/g)]
    .filter(([, name]) => !existsSync(join(root, 'bench', `${name}.ts`)))
    .map(([, name]) => `${file}: there is no bench ${name}`);

const helps = new Map<string, Promise<string>>();
const helpOf = (program: Program, path: readonly string[]): Promise<string> => {
  const key = [program, ...path].join(' ');
  const known = helps.get(key);
  if (known !== undefined) return known;
  const help = promisify(execFile)(process.execPath, [join(root, programs[program].file), ...path, '--help']).then(
    ({ stdout }) => stdout,
  );
  helps.set(key, help);
  return help;
};

/** The help of the command that a line names, and the words that lead to it. */
const commandOf = async ({ program, words }: Named): Promise<{ path: readonly string[]; help: string }> => {
  let path: readonly string[] = [];
  let help = await helpOf(program, path);
  for (const word of words.slice(0, programs[program].wordsMax)) {
    const hasCommands = /^[A-Z][\w ]*:\n/m.test(help);
    const isCommand = /^[a-z][a-z-]*$/.test(word) && new RegExp(`^  ${word}\\b`, 'm').test(help);
    if (!hasCommands || !isCommand) break;
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
  const missing = documents.flatMap(missingBenches);
  for (const line of named) {
    const { path, help } = await commandOf(line);
    const [first = ''] = line.words;
    if (path.length === 0 && /^[a-z]/.test(first)) missing.push(`${line.place}: there is no command ${first}`);
    for (const flag of line.words.filter((word) => /^--[a-z]/.test(word)))
      if (flag !== '--help' && !new RegExp(`${flag}\\b`).test(help)) missing.push(`${line.place}: there is no ${flag}`);
  }
  assert.deepEqual(missing, []);
});
