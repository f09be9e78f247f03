/**
 * Looks through a scenario as it was written: no type is checked when its file is run, so that all
 * that is no part of one is refused here.
 * @module
 */
import { combine } from '../measures/criterion.ts';
import { checkDeclared, RefusedCriterion, readCriteria } from '../measures/read-criteria.ts';
import { didYouMean } from '../texts/did-you-mean.ts';

/** A flaw of a definition. */
export interface Flaw {
  readonly reason: string;
  /** Words of the file that lead to it. */
  readonly keys: readonly string[];
}

/** Most checks, and most metrics, of a scenario: each stands in the result. */
const declaredMax = 100;
const nameGrammar = /^[a-z0-9][a-z0-9-]{0,63}$/i;

const properties = [
  'name',
  'summary',
  'tasks',
  'wait',
  'onStart',
  'onStop',
  'accounts',
  'dataPool',
  'tags',
  'checks',
  'metrics',
  'criteria',
  'hooks',
];
const taskProperties = ['name', 'weight', 'tags', 'run'];
const hookNames = ['testStart', 'spawningComplete', 'request', 'testStop', 'quitting'];
const metricKinds = ['counter', 'trend'];

type Fields = Readonly<Record<string, unknown>>;
type Finding = Flaw | undefined;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isFunction = (value: unknown): boolean => typeof value === 'function';
const isWords = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string' && each !== '');

/** A value in a refusal: short, and never a secret's length. */
const said = (value: unknown): string =>
  typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined
    ? String(value)
    : typeof value === 'string'
      ? JSON.stringify(value.slice(0, 40))
      : Array.isArray(value)
        ? 'an array'
        : isFunction(value)
          ? 'a function'
          : 'an object';

/** The first flaw of several looks. */
const first = (looks: readonly (() => Finding)[]): Finding => {
  for (const look of looks) {
    const flaw = look();
    if (flaw !== undefined) return flaw;
  }
  return undefined;
};

const unknownIn = (fields: Fields, known: readonly string[], what: string, keys: readonly string[]): Finding => {
  const unknown = Object.keys(fields).find((key) => !known.includes(key));
  return unknown === undefined
    ? undefined
    : { reason: `${what} has no \`${unknown}\`${didYouMean(unknown, known)}`, keys: [...keys, unknown] };
};

const wrongWords = (value: unknown, key: string, keys: readonly string[] = []): Finding => {
  if (value === undefined) return undefined;
  if (!isWords(value)) return { reason: `\`${key}\` is ${said(value)}: give an array of names`, keys: [...keys, key] };
  const twice = value.find((each, index) => value.indexOf(each) !== index);
  return twice === undefined
    ? undefined
    : { reason: `\`${key}\` names "${twice}" twice`, keys: [...keys, key, twice, twice] };
};

const wrongTask = (task: unknown, index: number): Finding => {
  if (!isObject(task)) return { reason: `task ${index + 1} is ${said(task)}: give { name, run }`, keys: ['tasks'] };
  const { name, weight, run } = task;
  if (typeof name !== 'string' || name === '')
    return { reason: `task ${index + 1} has no name: give it one`, keys: ['tasks'] };
  const keys = ['tasks', name];
  const what = `the task "${name}"`;
  return first([
    () => unknownIn(task, taskProperties, what, keys),
    () => (isFunction(run) ? undefined : { reason: `\`run\` of ${what} is ${said(run)}: give a function`, keys }),
    () =>
      weight === undefined || (typeof weight === 'number' && weight > 0 && Number.isFinite(weight))
        ? undefined
        : { reason: `the weight of ${what} is ${said(weight)}: give a number above zero`, keys: [...keys, 'weight'] },
    () => wrongWords(task['tags'], 'tags', keys),
  ]);
};

const wrongTasks = (tasks: unknown): Finding => {
  if (!Array.isArray(tasks))
    return { reason: `\`tasks\` is ${said(tasks)}: give an array of { name, run }`, keys: ['tasks'] };
  if (tasks.length === 0) return { reason: 'it has no tasks: give at least one', keys: ['tasks'] };
  return first([
    ...tasks.map((task: unknown, index) => () => wrongTask(task, index)),
    () => {
      const names = (tasks as readonly Fields[]).map(({ name }) => String(name));
      const twice = names.find((each, index) => names.indexOf(each) !== index);
      return twice === undefined
        ? undefined
        : { reason: `two of its tasks are called "${twice}"`, keys: ['tasks', twice, twice] };
    },
  ]);
};

/** Two numbers of seconds, the first not above the second. */
const areSeconds = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length === 2 &&
  value.every((each) => typeof each === 'number' && Number.isFinite(each) && each >= 0) &&
  value[0] <= value[1];

const wrongWait = (wait: unknown): Finding => {
  const keys = ['wait'];
  if (wait === undefined) return undefined;
  if (isFunction(wait)) return { reason: '`wait` is a function: write wait: drawn(…) around it', keys };
  if (typeof wait === 'number') return { reason: `\`wait\` is ${wait}: write wait: constant(${wait})`, keys };
  const isWait =
    isObject(wait) &&
    (wait['kind'] === 'drawn'
      ? isFunction(wait['draw'])
      : /^(between|pacing)$/.test(String(wait['kind'])) && areSeconds(wait['seconds']));
  return isWait
    ? undefined
    : { reason: `\`wait\` is ${said(wait)}: write between(1, 3), constant(2), pacing(2) or drawn(…)`, keys };
};

const wrongPool = (pool: unknown): Finding => {
  const isPool =
    pool === undefined ||
    (isObject(pool) && Array.isArray(pool['rows']) && /^(sequential|random|unique)$/.test(String(pool['order'])));
  return isPool
    ? undefined
    : {
        reason: `\`dataPool\` is ${said(pool)}: write sequential(rows), random(rows) or unique(rows)`,
        keys: ['dataPool'],
      };
};

const wrongMetrics = (metrics: unknown): Finding => {
  if (metrics === undefined) return undefined;
  if (!isObject(metrics))
    return {
      reason: `\`metrics\` is ${said(metrics)}: write { name: 'counter' } or { name: 'trend' }`,
      keys: ['metrics'],
    };
  const [name, kind] = Object.entries(metrics).find(([, each]) => !metricKinds.includes(String(each))) ?? [];
  return name === undefined
    ? undefined
    : {
        reason: `the metric "${name}" is ${said(kind)}: it is 'counter' or 'trend'`,
        keys: ['metrics', name],
      };
};

const wrongHooks = (hooks: unknown): Finding => {
  if (hooks === undefined) return undefined;
  if (!isObject(hooks)) return { reason: `\`hooks\` is ${said(hooks)}: give an object of functions`, keys: ['hooks'] };
  const none = Object.keys(hooks).find((name) => hooks[name] !== undefined && !isFunction(hooks[name]));
  return (
    unknownIn(hooks, hookNames, '`hooks`', ['hooks']) ??
    (none === undefined
      ? undefined
      : { reason: `the hook \`${none}\` is ${said(hooks[none])}: give a function`, keys: ['hooks', none] })
  );
};

const wrongCriteria = ({ name, criteria, checks, metrics }: Fields): Finding => {
  if (criteria === undefined) return undefined;
  const named = (kind: string): readonly string[] =>
    Object.entries((metrics ?? {}) as Fields).flatMap(([each, of]) => (of === kind ? [each] : []));
  try {
    const read = readCriteria(criteria, 'key');
    checkDeclared(read, {
      name: String(name),
      checks: (checks ?? []) as readonly string[],
      counters: named('counter'),
      trends: named('trend'),
      measuresRejection: false,
    });
    combine(read);
    return undefined;
  } catch (error) {
    const place = error instanceof RefusedCriterion ? error.place : [];
    return { reason: `in \`criteria\`, ${(error as Error).message}`, keys: ['criteria', ...place] };
  }
};

const wrongFunction = (fields: Fields, key: string): Finding =>
  fields[key] === undefined || isFunction(fields[key])
    ? undefined
    : { reason: `\`${key}\` is ${said(fields[key])}: give a function`, keys: [key] };

/** The first thing that is wrong with a definition; `undefined` when it is a scenario. */
export const flawOf = (definition: unknown): Finding => {
  if (!isObject(definition)) return { reason: `it is ${said(definition)}: give { name, tasks }`, keys: [] };
  const { name, summary, accounts, checks, metrics } = definition;
  const isSaid = typeof name === 'string' && nameGrammar.test(name);
  return first([
    () => unknownIn(definition, properties, 'a scenario', []),
    () =>
      isSaid ? undefined : { reason: 'its `name` may hold letters, digits and dashes, 64 at most', keys: ['name'] },
    () =>
      summary === undefined || typeof summary === 'string'
        ? undefined
        : { reason: `\`summary\` is ${said(summary)}: give a line of text`, keys: ['summary'] },
    () => wrongTasks(definition['tasks']),
    () => wrongWait(definition['wait']),
    () => wrongFunction(definition, 'onStart'),
    () => wrongFunction(definition, 'onStop'),
    () =>
      accounts === undefined || typeof accounts === 'boolean'
        ? undefined
        : { reason: `\`accounts\` is ${said(accounts)}: it is true or false`, keys: ['accounts'] },
    () => wrongPool(definition['dataPool']),
    () => wrongWords(definition['tags'], 'tags'),
    () => wrongWords(checks, 'checks'),
    () => wrongMetrics(metrics),
    () =>
      Math.max((checks as readonly string[] | undefined)?.length ?? 0, Object.keys(metrics ?? {}).length) > declaredMax
        ? { reason: `it has more than ${declaredMax} checks or metrics`, keys: ['checks'] }
        : undefined,
    () => wrongCriteria(definition),
    () => wrongHooks(definition['hooks']),
  ]);
};
