/**
 * Plants each known fault in a copy of the tree and checks that the tests named beside it fail. `npm run mutants -- --help` explains.
 * @module
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  cleanEnvironment,
  onStopSignal,
  type RunningCommand,
  type RunResult,
  startCommand,
} from '../../scripts/run-command.ts';
import { copyTree, StalePatchError, type TreeCopy } from '../../scripts/tree-copy.ts';

const help = `Mutants: each tests/mutants/NAME.patch breaks one promise on purpose; the tests it names must notice.

  npm run mutants                     all of them
  npm run mutants -- NAME …           only these
  npm run mutants -- --verbose NAME   and show what the tests print
  npm run mutants -- --timeout 300    seconds that the tests of one mutant may take (default 120)

A patch is a unified diff (git diff > tests/mutants/NAME.patch) under a header:

  Breaks: one sentence, the promise that no longer holds
  Caught by: test files, or "node FILE ARG …" for a check that is no test (exit code 0 means it noticed nothing)
  Test: regular expression on test names        (optional: only these tests run)
  Timeout: counts                               (optional: tests that hang have noticed)

Verdicts: caught (good); SURVIVED (the tests passed with the fault in place); STALE (the patch no longer applies); BROKEN (the header is
incomplete, the patched code cannot be parsed, or the tests fail or match nothing without the fault); TIMEOUT.

Exit codes: 0 all caught, 1 not all, 2 usage, 130 stopped.
`;

interface Mutant {
  readonly name: string;
  readonly patch: string;
  readonly breaks: string;
  readonly caughtBy: readonly string[];
  readonly test: string | undefined;
  readonly timeoutCounts: boolean;
}

type Verdict = 'caught' | 'SURVIVED' | 'STALE' | 'BROKEN' | 'TIMEOUT';

interface Outcome {
  readonly verdict: Verdict;
  /** What to do about it. */
  readonly note?: string;
  readonly output?: string;
}

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', short: 'h' },
    verbose: { type: 'boolean', short: 'v' },
    timeout: { type: 'string', default: '120' },
    root: { type: 'string', default: dirname(dirname(dirname(fileURLToPath(import.meta.url)))) },
  },
});
const root = resolve(flags.root);
const timeoutMs = Number(flags.timeout) * 1000;

const print = (text: string): boolean => process.stdout.write(`${text}\n`);

const usage = (sentence: string): never => {
  process.stderr.write(`mutants: ${sentence}; --help explains\n`);
  process.exit(2);
};

const readMutant = (patch: string): Mutant => {
  const text = readFileSync(patch, 'utf8');
  const header = text.slice(0, text.search(/^(diff |--- )/m));
  const field = (name: string): string[] =>
    [...header.matchAll(new RegExp(`^${name}:[ \\t]*(.+)$`, 'gm'))].map(([, value = '']) => value.trim());
  return {
    name: basename(patch, '.patch'),
    patch,
    breaks: field('Breaks').join(' '),
    caughtBy: field('Caught by').flatMap((value) => value.split(/[\s,]+/)),
    test: field('Test')[0],
    timeoutCounts: field('Timeout').includes('counts'),
  };
};

const isCommand = ({ caughtBy }: Mutant): boolean => caughtBy[0] === 'node';

const argsOf = (mutant: Mutant): string[] => {
  if (isCommand(mutant)) return mutant.caughtBy.slice(1);
  const pattern = mutant.test === undefined ? [] : [`--test-name-pattern=${mutant.test}`];
  // TAP, because its closing figures are made to be read by programs.
  return ['--test', '--test-reporter=tap', ...pattern, ...mutant.caughtBy];
};

let running: RunningCommand | undefined;
let isStopped = false;
const copies = new Set<TreeCopy>();
onStopSignal((signal) => {
  isStopped = true;
  running?.stop(signal);
});

const run = async (copy: TreeCopy, args: readonly string[]): Promise<RunResult> => {
  running = startCommand(process.execPath, args, { cwd: copy.path, env: cleanEnvironment(), timeoutMs });
  const result = await running.done;
  if (isStopped) process.exit(130);
  return result;
};

const withCopy = async <Result>(
  patch: string | undefined,
  use: (copy: TreeCopy) => Promise<Result>,
): Promise<Result> => {
  const copy = copyTree(root, patch);
  copies.add(copy);
  try {
    return await use(copy);
  } finally {
    copy.remove();
    copies.delete(copy);
  }
};

/** A file without any test that matches still counts as one test, named by its path. */
const ranTests = (tap: string): boolean =>
  [...tap.matchAll(/^\s*ok \d+ - (.*)$/gm)].some(([, name = '']) => !name.endsWith('.test.ts'));

const baselines = new Map<string, Promise<Outcome | undefined>>();

/** Runs the tests of a mutant without its fault, once for all mutants that name the same ones. Returns what is wrong with them. */
const baseline = (mutant: Mutant): Promise<Outcome | undefined> => {
  const args = argsOf(mutant);
  const key = JSON.stringify(args);
  const found = baselines.get(key);
  if (found !== undefined) return found;
  const outcome = withCopy(undefined, async (copy): Promise<Outcome | undefined> => {
    const { code, output, timedOut } = await run(copy, args);
    if (timedOut)
      return { verdict: 'BROKEN', note: `the tests take longer than ${flags.timeout} s without the fault`, output };
    if (code !== 0) return { verdict: 'BROKEN', note: 'the tests fail without the fault as well', output };
    if (!isCommand(mutant) && !ranTests(output))
      return { verdict: 'BROKEN', note: `no test matches "${mutant.test}"`, output };
    return undefined;
  });
  baselines.set(key, outcome);
  return outcome;
};

// Reads each file named on its command line and stops at the first that is no TypeScript that Node can run.
const parser = `
  import { readFileSync } from 'node:fs';
  import { stripTypeScriptTypes } from 'node:module';
  for (const file of process.argv.slice(1))
    try {
      stripTypeScriptTypes(readFileSync(file, 'utf8'));
    } catch (error) {
      console.log(file + ': ' + error.message);
      process.exit(1);
    }`;

/** The patched files must at least parse: a syntax error fails every test and proves nothing. */
const unreadable = async (mutant: Mutant, copy: TreeCopy): Promise<Outcome | undefined> => {
  const files = [...readFileSync(mutant.patch, 'utf8').matchAll(/^\+\+\+ b\/(\S+\.ts)$/gm)].map(
    ([, file = '']) => file,
  );
  const patched = files.filter((file) => existsSync(join(copy.path, file)));
  const { code, output } = await run(copy, ['--no-warnings', '--input-type=module', '--eval', parser, ...patched]);
  return code === 0 ? undefined : { verdict: 'BROKEN', note: 'the patched code cannot be parsed', output };
};

const judge = async (mutant: Mutant): Promise<Outcome> => {
  if (mutant.breaks === '' || mutant.caughtBy.length === 0)
    return { verdict: 'BROKEN', note: 'its header needs the lines "Breaks:" and "Caught by:"' };
  const missing = isCommand(mutant) ? undefined : mutant.caughtBy.find((file) => !existsSync(join(root, file)));
  if (missing !== undefined) return { verdict: 'BROKEN', note: `there is no ${missing}` };
  try {
    return await withCopy(mutant.patch, async (copy) => {
      const wrong = (await unreadable(mutant, copy)) ?? (await baseline(mutant));
      if (wrong !== undefined) return wrong;
      const { code, output, timedOut } = await run(copy, argsOf(mutant));
      if (timedOut)
        return mutant.timeoutCounts
          ? { verdict: 'caught', output }
          : { verdict: 'TIMEOUT', note: `the tests did not end within ${flags.timeout} s`, output };
      if (code === 0) return { verdict: 'SURVIVED', note: 'the tests pass with the fault in place', output };
      return { verdict: 'caught', output };
    });
  } catch (error) {
    if (error instanceof StalePatchError) return { verdict: 'STALE', note: error.message };
    throw error;
  }
};

if (flags.help === true) {
  print(help);
  process.exit(0);
}
if (!(timeoutMs > 0)) usage(`--timeout takes seconds, not "${flags.timeout}"`);
const mutants = globSync('tests/mutants/*.patch', { cwd: root })
  .sort()
  .map((file) => readMutant(join(root, file)))
  .filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const unknown = positionals.find((name) => !mutants.some((mutant) => mutant.name === name));
if (unknown !== undefined) usage(`there is no tests/mutants/${unknown}.patch`);
if (mutants.length === 0) usage('there is no tests/mutants/*.patch');

const row = (
  cells: readonly [name: string, breaks: string, caughtBy: string, verdict: string, seconds: string],
): void => {
  const [name, breaks, caughtBy, verdict, seconds] = cells;
  const width = (of: (mutant: Mutant) => string, least: number): number =>
    Math.max(least, ...mutants.map((m) => of(m).length));
  print(
    [
      name.padEnd(width((mutant) => mutant.name, 6)),
      breaks.padEnd(width((mutant) => mutant.breaks, 6)),
      caughtBy.padEnd(width((mutant) => mutant.caughtBy.join(' '), 9)),
      verdict.padEnd(8),
      seconds.padStart(7),
    ].join(' | '),
  );
};

process.once('exit', () => {
  for (const copy of copies) copy.remove();
});
let failed = 0;
row(['mutant', 'breaks', 'caught by', 'verdict', 'seconds']);
for (const mutant of mutants) {
  const startedAtMs = performance.now();
  const { verdict, note, output } = await judge(mutant);
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  row([mutant.name, mutant.breaks, mutant.caughtBy.join(' '), verdict, seconds]);
  if (note !== undefined) print(`  ${note.replaceAll('\n', '\n  ')}`);
  if (verdict !== 'caught') failed++;
  const isWorthShowing = flags.verbose === true || verdict === 'BROKEN' || verdict === 'TIMEOUT';
  if (isWorthShowing && output !== undefined) print(output.replaceAll(/^/gm, '    '));
}
print(`\n${mutants.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
