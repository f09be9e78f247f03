/**
 * Finds the scenario of a run: one of ours by its name, or a file's.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { flawOf } from './check-definition.ts';
import { type DefinedScenario, scenarioFormat, type Wait } from './define-scenario.ts';
import { importScenario } from './import-scenario.ts';
import { scenarios } from './registry.ts';
import type { Scenario, ScenarioTask } from './scenario.ts';
import { placeOfError, placeOfKeys, ScenarioFlaw, textOf } from './source-place.ts';

const ownName = '@catalytic/lab/scenario';

/** Whether an argument names a file and not one of our scenarios. */
export const isScenarioFile = (name: string): boolean => /[/\\]|\.[cm]?[jt]s$/.test(name);

/** A scenario may lie anywhere, where no package of this name is installed: it gets this one. */
const lendPackage = (): void => {
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === ownName
        ? { url: new URL('./define-scenario.ts', import.meta.url).href, shortCircuit: true }
        : next(specifier, context),
  });
};

const secondsOf = (wait: Wait | undefined): readonly [number, number] =>
  wait === undefined ? [1, 3] : wait.kind === 'drawn' ? [0, 0] : wait.seconds;

/** Makes a scenario of a file one that can be run like ours. */
const fromDefinition = (custom: DefinedScenario): Scenario => {
  const { name, summary = name, tasks, wait, criteria = {}, tags = [] } = custom;
  return {
    name,
    summary,
    tasks: Object.fromEntries(
      tasks.map((task): [string, ScenarioTask] => [
        task.name,
        { weight: task.weight ?? 1, act: async () => {}, tags: [...tags, ...(task.tags ?? [])] },
      ]),
    ),
    waitSeconds: secondsOf(wait),
    isPaced: wait?.kind === 'pacing',
    criteria,
    asksEveryWorker: false,
    custom,
  };
};

const isDefined = (value: unknown): value is DefinedScenario =>
  typeof value === 'object' && value !== null && 'format' in value && value.format === scenarioFormat;

const exportFlawOf = (exported: unknown): string => {
  const what =
    exported === undefined
      ? 'it has no default export'
      : exported instanceof Promise
        ? 'its default export is a promise, of which nothing is known yet; write "export default await …", or'
        : 'its default export is no scenario;';
  return `${what}${exported === undefined ? ';' : ''} write "export default defineScenario({ … })" with defineScenario from "${ownName}"`;
};

const reasonOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : `it threw ${String(thrown)}`);

/**
 * The syntax check of Node names the line; the error that an import throws for JavaScript does not.
 */
const syntaxPlaceOf = (path: string): string | undefined => {
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8' });
  const place = placeOfError({ name: '', message: '', stack: stderr.split('\n', 1)[0] ?? '' });
  return place && textOf(place);
};

/** Where the file of a scenario, or one that it imports, is at fault. */
const placeOfFault = (thrown: unknown, path: string): string | undefined => {
  if (!(thrown instanceof Error)) return undefined;
  const { code } = thrown as NodeJS.ErrnoException;
  const [, missing, importer] =
    /^Cannot find (?:module|package) '(.+?)' imported from (.+)$/.exec(thrown.message) ?? [];
  if (code === 'ERR_MODULE_NOT_FOUND' && missing !== undefined && importer !== undefined)
    return textOf(placeOfKeys({ file: importer, line: 1 }, [basename(missing)]));
  const place = placeOfError(thrown);
  if (place !== undefined) return textOf(place);
  return thrown instanceof SyntaxError ? syntaxPlaceOf(path) : undefined;
};

/**
 * Loads the scenario of a file. The file is code and runs in this process, with all of its
 * permissions.
 * @throws Error that says what is wrong with it
 */
export const loadScenarioFile = async (file: string): Promise<Scenario> => {
  const path = resolve(file);
  if (!existsSync(path)) throw new Error(`Cannot load the scenario ${file}: there is no such file`);
  lendPackage();
  const module = await importScenario(pathToFileURL(path).href).catch((thrown: unknown) => {
    if (thrown instanceof ScenarioFlaw) throw thrown;
    throw new Error(`Cannot load the scenario ${placeOfFault(thrown, path) ?? file}: ${reasonOf(thrown)}`);
  });
  const defined: unknown = (module as { readonly default?: unknown }).default;
  if (!isDefined(defined)) throw new Error(`Cannot run ${file}: ${exportFlawOf(defined)}`);
  // A definition that was changed after defineScenario, as by a copy, was not checked.
  const { format: _, ...definition } = defined;
  const flaw = flawOf(definition);
  if (flaw !== undefined) throw new Error(`Cannot run ${file}: ${flaw.reason}`);
  return fromDefinition(defined);
};

/**
 * Finds a scenario by its name or its file.
 * @throws Error that lists those there are
 */
export const findScenario = async (name: string): Promise<Scenario> => {
  if (isScenarioFile(name)) return loadScenarioFile(name);
  const scenario = scenarios.get(name);
  if (scenario !== undefined) return scenario;
  throw new Error(
    `There is no scenario "${name}": choose from ${[...scenarios.keys()].join(', ')}, or name a file such as ./${name}.ts`,
  );
};

/**
 * Leaves out the tasks that were not asked for. A task's name is a tag of it, too.
 * @param tags a task must have one of them; any will do when there are none
 * @param without a task must have none of them
 * @throws Error when nothing is left
 */
export const selectTasks = (scenario: Scenario, tags: readonly string[], without: readonly string[]): Scenario => {
  if (tags.length === 0 && without.length === 0) return scenario;
  const chosen = Object.entries(scenario.tasks).filter(([name, { tags: own = [] }]) => {
    const has = (tag: string): boolean => tag === name || own.includes(tag);
    return (tags.length === 0 || tags.some(has)) && !without.some(has);
  });
  if (chosen.length > 0) return { ...scenario, tasks: Object.fromEntries(chosen) };
  const all = Object.entries(scenario.tasks).flatMap(([name, { tags: own = [] }]) => [name, ...own]);
  throw new Error(
    `No task of "${scenario.name}" is left by --tag and --exclude-tag: its tags are ${[...new Set(all)].join(', ')}`,
  );
};
