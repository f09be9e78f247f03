/**
 * Tries guards of other languages, and broken ones. `npm run other-languages -- --help` explains.
 * @module
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { cacheFolder, missingPrograms, runSteps, type Step } from '../../bench/harness/toolchains.ts';
import { type BrokenGuard, brokenGuards } from './broken-guards.ts';
import { brokenPythonGuards } from './broken-python-guards.ts';
import { ownApi, root, tryConformance } from './guard-conformance.ts';
import { vectorsFile } from './vectors.ts';
import { tryWithService } from './with-service.ts';

const help = `Tries guards with "catalytic guard-conformance", each with the whole of it (half a minute), then beside the service itself.

  npm run other-languages                     all of them
  npm run other-languages -- python go        only these

  ours           an API with @catalytic/guard
  sidecar        npx @catalytic/guard --listen
  python         examples/python-guard, with PyJWT of PyPI in a folder of .cache
  go, java       examples/go-api and examples/java-api behind the sidecar
  broken         our guard with one fault each (tests/conformance/broken-guards.ts): each must be told by the rule it breaks
  broken-python  the guard in Python with one fault each

A language that is not on this machine is skipped. Exit codes: 0 all as they should be, 1 not, 2 usage.
`;

// Where the installer of Go puts it.
process.env['PATH'] = [process.env['PATH'], '/usr/local/go/bin'].join(delimiter);

const python = join(root, 'examples/python-guard');
const sidecar = [process.execPath, join(root, 'packages/guard/src/sidecar/main.ts')];
const behindSidecar = [process.execPath, join(root, 'tests/conformance/behind-sidecar.ts')];

const say = (text: string): boolean => process.stdout.write(`${text}\n`);

const prepare = (folder: string, steps: readonly Step[]): void => {
  const ended = runSteps(folder, steps);
  if ('failed' in ended) throw new Error(ended.failed);
};

/** A Python that has what the guard imports. */
const pythonWithLibraries = (): string => {
  const folder = cacheFolder('other-languages');
  const program = join(folder, 'venv/bin/python');
  const libraries = join(python, 'requirements.txt');
  if (!existsSync(program)) prepare(folder, [['python3', '-m', 'venv', 'venv']]);
  prepare(folder, [[program, '-m', 'pip', 'install', '-q', '-r', libraries]]);
  return program;
};

/** What an API answers beside the service itself. */
const expectedWithService = { before: [200], after: [401], signOuts: [200], code: 0 };

/** Tries one guard, which must keep every rule, and refuse tokens whose sign-out the service itself has answered. */
const tryWhole = async (path: string, words: readonly string[]): Promise<boolean> => {
  const PATH = process.env['PATH'] ?? '';
  const { code, output } = await tryConformance(['--path', path, '--', ...words], { PATH });
  say(output.trimEnd());
  const seen = await tryWithService(words, path, PATH);
  const isRight = isDeepStrictEqual(seen, expectedWithService);
  say(`${isRight ? 'right' : 'WRONG'}    with the service itself: ${JSON.stringify(seen)}`);
  return code === 0 && isRight;
};

/** Tries broken guards, each with the rule that it breaks. @param start the command that starts one */
const tryBroken = async (
  faults: readonly BrokenGuard[],
  start: (fault: BrokenGuard) => readonly string[],
): Promise<boolean> => {
  let isRight = true;
  for (const fault of faults) {
    const { output, broken } = await tryConformance(['--lease', '1000', '--only', fault.rule, '--', ...start(fault)]);
    const isTold = broken.includes(fault.rule);
    const seen = /^ +seen +(.*)$/m.exec(output)?.[1] ?? output;
    say(`${isTold ? 'told    ' : 'NOT TOLD'}  ${fault.rule}: ${seen}`);
    isRight &&= isTold;
  }
  return isRight;
};

const tryBrokenPython = async (): Promise<boolean> => {
  const program = pythonWithLibraries();
  const folder = mkdtempSync(join(tmpdir(), 'catalytic-broken-guards-'));
  try {
    return await tryBroken(brokenPythonGuards, ({ rule, file, from, to }) => {
      const place = join(folder, rule);
      cpSync(python, place, { recursive: true });
      const text = readFileSync(join(python, file), 'utf8');
      if (text.split(from).length !== 2)
        throw new Error(`Cannot plant the fault ${rule}: ${file} does not hold its text once`);
      writeFileSync(
        join(place, file),
        text.replace(from, () => to),
      );
      return [program, join(place, 'api.py')];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

interface Subject {
  readonly needs: readonly string[];
  readonly run: () => Promise<boolean>;
}

const subjects: Readonly<Record<string, Subject>> = {
  ours: { needs: [], run: () => tryWhole('/', ownApi()) },
  sidecar: { needs: [], run: () => tryWhole('/', sidecar) },
  python: {
    needs: ['python3'],
    run: () => {
      const program = pythonWithLibraries();
      prepare(root, [[program, join(python, 'check_vectors.py'), vectorsFile]]);
      return tryWhole('/notes', [program, join(python, 'api.py')]);
    },
  },
  go: {
    needs: ['go'],
    run: () => {
      const program = join(cacheFolder('other-languages'), 'go-api');
      prepare(join(root, 'examples/go-api'), [['go', 'build', '-o', program, '.']]);
      return tryWhole('/notes', [...behindSidecar, program]);
    },
  },
  java: {
    needs: ['java'],
    run: () => tryWhole('/notes', [...behindSidecar, 'java', join(root, 'examples/java-api/Main.java')]),
  },
  broken: { needs: [], run: () => tryBroken(brokenGuards, ({ rule }) => ownApi(rule)) },
  'broken-python': { needs: ['python3'], run: tryBrokenPython },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: 'boolean', short: 'h' } },
});
const unknown = positionals.find((name) => !Object.hasOwn(subjects, name));
if (values.help === true) process.stdout.write(help);
else if (unknown !== undefined) {
  process.stderr.write(`other-languages: there is no "${unknown}"; --help lists what there is\n`);
  process.exitCode = 2;
} else
  for (const [name, { needs, run }] of Object.entries(subjects)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    const missing = missingPrograms(needs);
    say(`── ${name}${missing.length > 0 ? `: skipped, there is no ${missing.join(', ')}` : ''}`);
    if (missing.length === 0 && !(await run())) process.exitCode = 1;
  }
