/**
 * The gate: everything that must hold before a change goes in, in one command. `npm run ok -- --help` says how to use it.
 *
 * The steps that only read run side by side and are printed in order; the tests come last, so that the output ends with the
 * test runner's own figures.
 * @module
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listFiles } from './list-files.ts';
import { cleanEnvironment, onStopSignal, type RunningCommand, startCommand } from './run-command.ts';

const here = dirname(fileURLToPath(import.meta.url));
const args = process.argv.slice(2);
// Another tree than this one, for the tests of the gate.
const rootAt = args.indexOf('--root');
const root = rootAt === -1 ? dirname(here) : resolve(args.splice(rootAt, 2)[1] ?? '.');
const bin = (name: string): string => join(root, 'node_modules', '.bin', name);
const script = (name: string): string => join(here, name);

interface Phase {
  readonly title: string;
  /** Where its test files are; the first phase that has a file runs it. */
  readonly paths: readonly string[];
  /** Files in those folders that another phase runs. */
  readonly except?: readonly string[];
  readonly filesAtOnce: number;
}

/** How test files are run: the more they judge how long something takes, the fewer at once. */
const phases: readonly Phase[] = [
  {
    title: 'tests that are run alone',
    paths: ['packages/lab/src/probes/', 'packages/server/src/hashing/'],
    filesAtOnce: 1,
  },
  {
    // Each loads a small server for some seconds, and mostly waits. A run of the lab says when the machine was too busy.
    title: 'tests that are run two at a time',
    paths: ['packages/lab/src/commands/'],
    except: ['packages/lab/src/commands/gate.test.ts', 'packages/lab/src/commands/experiment.test.ts'],
    filesAtOnce: 2,
  },
  // One more than there are cores: these mostly wait for processes that they have started.
  { title: 'tests', paths: [''], filesAtOnce: availableParallelism() + 1 },
];

/** Tests start hundreds of our processes: compiled once, each starts in half the CPU time. */
const testEnvironment = { ...cleanEnvironment(), NODE_COMPILE_CACHE: join(root, '.cache', 'compiled') };

/** Longest time a test file may take. */
const testFileMsMax = 240_000;

interface Step {
  readonly name: string;
  readonly title: string;
  readonly help: string;
  readonly command: (write: boolean) => readonly [string, ...string[]];
}

const steps: readonly Step[] = [
  {
    name: 'lint',
    title: 'format and lint',
    help: 'Biome; --write applies its safe corrections',
    command: (write) => [bin('biome'), 'check', '--error-on-warnings', ...(write ? ['--write'] : []), '.'],
  },
  {
    name: 'types',
    title: 'types',
    help: 'the TypeScript compiler, strict',
    command: () => [bin('tsc'), '-p', '.'],
  },
  {
    name: 'boundaries',
    title: 'boundaries',
    help: 'import directions, declared dependencies, circles, house rules (tables: scripts/boundary-rules.ts)',
    command: () => [process.execPath, script('boundaries.ts'), root],
  },
  {
    name: 'docs',
    title: 'docs',
    help: 'links, script names, reference pages, docstrings; --write regenerates docs/reference/',
    command: (write) => [process.execPath, script('docs.ts'), root, ...(write ? ['--write'] : [])],
  },
];

const help = `The gate. Runs every step, prints the first failure and stops there.

  npm run ok                              all steps; npm test is the same
  npm run ok -- STEP …                    only these steps
  npm run ok -- tests PATH …              only the tests in these files or folders
  npm run ok -- docs --write              bring the generated pages up to date

Steps:
${steps.map(({ name, help: text }) => `  ${name.padEnd(12)}${text}\n`).join('')}  ${'tests'.padEnd(12)}*.test.ts under packages/ and tests/, with none of your own settings in their environment

Exit codes: 0 all passed, 1 a step failed, 2 usage, 130 stopped.
`;

const fail = (sentence: string): never => {
  console.error(`ok: ${sentence}`);
  process.exit(2);
};

const parse = (words: readonly string[]): { names: readonly string[]; paths: readonly string[]; write: boolean } => {
  const known = [...steps.map(({ name }) => name), 'tests'];
  const unknownFlag = words.find((word) => word.startsWith('-') && word !== '--write');
  if (unknownFlag !== undefined) fail(`unknown option ${unknownFlag}; --help lists what there is`);
  const given = words.filter((word) => !word.startsWith('-'));
  const names = given.filter((word) => known.includes(word));
  const paths = given.filter((word) => !known.includes(word));
  const isPath = (word: string): boolean => existsSync(resolve(root, word));
  const stray = paths.find((word) => !names.includes('tests') || !isPath(word));
  if (stray !== undefined) fail(`"${stray}" is no step (${known.join(', ')}) and no path for the tests`);
  return { names: names.length === 0 ? known : names, paths, write: words.includes('--write') };
};

const testFiles = (paths: readonly string[]): string[] => {
  const files = listFiles(root).files.filter((file) => /^(packages|tests)\/.*\.test\.ts$/.test(file));
  if (paths.length === 0) return files;
  const wanted = paths.map((path) => resolve(root, path));
  return files.filter((file) =>
    wanted.some((path) => resolve(root, file) === path || resolve(root, file).startsWith(`${path}/`)),
  );
};

const heading = (title: string, seconds?: number): void =>
  console.log(`── ${title}${seconds === undefined ? '' : ` (${seconds.toFixed(1)} s)`} `.padEnd(80, '─'));

const ended = (name: string, reason = 'failed'): void => {
  console.log(`\nok: ${name} ${reason}. This step alone: npm run ok -- ${name}`);
  process.exitCode = 1;
};

if (args.includes('--help') || args.includes('-h')) {
  console.log(help);
  process.exit(0);
}
const { names, paths, write } = parse(args);

const running = new Set<RunningCommand>();
const stopAll = (signal?: NodeJS.Signals): void => {
  for (const command of running) command.stop(signal);
};
let isStopped = false;
onStopSignal((signal) => {
  isStopped = true;
  stopAll(signal);
});

const start = (
  command: readonly [string, ...string[]],
  output: 'capture' | 'inherit',
  env?: Record<string, string>,
) => {
  const [file, ...rest] = command;
  const started = startCommand(file, rest, { cwd: root, output, ...(env === undefined ? {} : { env }) });
  running.add(started);
  return { ...started, done: started.done.finally(() => running.delete(started)) };
};

/** Runs the steps that only read. @returns whether all passed */
const runStatic = async (): Promise<boolean> => {
  const started = steps
    .filter(({ name }) => names.includes(name))
    .map((step) => ({ step, command: start(step.command(write), 'capture') }));
  let passed = true;
  for (const { step, command } of started) {
    const { code, output, seconds } = await command.done;
    if (isStopped || !passed) continue;
    heading(step.title, seconds);
    process.stdout.write(output);
    if (code === 0) continue;
    passed = false;
    stopAll();
    ended(step.name);
  }
  return passed && !isStopped;
};

/** Runs test files, a given number at a time. @returns whether all passed */
const runFiles = async (title: string, files: readonly string[], atOnce: number): Promise<boolean> => {
  if (files.length === 0 || isStopped) return true;
  heading(title);
  const command: readonly [string, ...string[]] = [
    process.execPath,
    '--test',
    `--test-concurrency=${atOnce}`,
    `--test-timeout=${testFileMsMax}`,
    // A process that a file leaves running must not hold up the next files. After connections were reset while they were being ended,
    // as faults do, Node 26 can also wait for ever at the natural end of a process.
    '--test-force-exit',
    `--test-reporter=${script('short-reporter.ts')}`,
    ...files,
  ];
  const { code, leftProcesses } = await start(command, 'inherit', testEnvironment).done;
  if (isStopped) return false;
  // The test runner's own figures stay the last lines of the output.
  if (code !== 0) process.exitCode = 1;
  else if (leftProcesses)
    ended('tests', 'passed but left processes behind, which were killed; a test does not end what it starts');
  return code === 0 && !leftProcesses;
};

const runTests = async (): Promise<void> => {
  const files = testFiles(paths);
  if (files.length === 0) {
    heading('tests');
    return ended('tests', 'failed: there is no test file');
  }
  const isIn = (file: string, { paths: own, except = [] }: Phase): boolean =>
    own.some((path) => file.startsWith(path)) && !except.includes(file);
  const phaseOf = (file: string): Phase | undefined => phases.find((phase) => isIn(file, phase));
  for (const phase of phases) {
    const own = files.filter((file) => phaseOf(file) === phase);
    await runFiles(phase.title, own, phase.filesAtOnce);
  }
};

if ((await runStatic()) && names.includes('tests')) await runTests();
if (isStopped) {
  console.log('\nok: stopped');
  process.exitCode = 130;
}
